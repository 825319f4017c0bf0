/* What a reader does about nuclei: looks at one, draws regions, excludes, corrects, takes back. The server keeps the
   state; what it has not answered yet is laid over its last answer, so that everything shows at once. */

const DRAWING = { region: "Region", exclude: "Exclude" }
const KEYS = { l: "look", r: "region", e: "exclude", c: "correct" }
const HINTS = {
  look: "Click a nucleus for its numbers.",
  region: "Click corners or drag around the tumour. A double click, Enter or the first corner closes; Esc cancels.",
  exclude: "Click corners or drag around what does not count. A double click, Enter or the first corner closes; Esc cancels.",
  correct: "Click a nucleus, then choose its class (or press its key).",
}

class Tools {
  constructor(viewer) {
    this.viewer = viewer
    this.painter = new Painter(this)
    this.tool = "look"
    this.shown = true
    this.client = Math.random().toString(36).slice(2)
    this.counter = 0
    this.forget()
    viewer.find(".nuclei").onclick = () => this.toggle()
    viewer.element.querySelectorAll("[data-tool]").forEach(button => (button.onclick = () => this.use(button.dataset.tool)))
    viewer.element.querySelectorAll("[data-step]").forEach(b => (b.onclick = () => this.send({ kind: b.dataset.step })))
    viewer.find(".tools .segments").onkeydown = event => this.walk(event)
    viewer.element.addEventListener("keydown", event => this.key(event))
    this.listener = event => event.detail === viewer.id && this.receive()
    this.keys = event => this.takeBack(event)
    window.addEventListener("ihc-live", this.listener)
    document.addEventListener("keydown", this.keys)
  }

  close() {
    window.removeEventListener("ihc-live", this.listener)
    document.removeEventListener("keydown", this.keys)
    this.painter.close()
  }

  load(header, blob) {
    this.forget()
    this.outlines = header.nuclei ? new Outlines(header.nuclei, blob) : null
    this.measured = header.nuclei ? Uint8Array.from(blob(header.nuclei.measured)) : new Uint8Array()
    this.tool = "look"
    this.viewer.element.dataset.nuclei = this.outlines?.count ?? ""
    this.receive()
  }

  forget() {
    Object.assign(this, { outlines: null, live: null, pending: [], corners: [], chosen: -1 })
    Object.assign(this, { classes: new Uint8Array(), regions: [], corrected: new Set() })
  }

  get drawing() {
    return this.tool in DRAWING
  }

  /* Takes over what the server says, without what it has not seen yet. */
  receive() {
    this.live = window.ihcLive?.get(this.viewer.id) ?? null
    const taken = this.live?.taken[this.client] ?? 0
    this.pending = this.live ? this.pending.filter(event => event.n > taken) : []
    this.overlay()
  }

  overlay() {
    const { live } = this
    this.classes = live ? Uint8Array.from(atob(live.classes), c => c.charCodeAt(0)) : this.measured.slice()
    this.regions = live ? live.regions.map(({ points, exclude }) => ({ points: points.map(p => this.share(p)), exclude })) : []
    this.corrected = new Set(live?.corrected)
    for (const event of this.pending) {
      if (event.kind === "region") this.regions.push({ points: event.points.map(p => this.share(p)), exclude: event.exclude })
      if (event.kind === "remove") this.regions.splice(event.region, 1)
      if (event.kind === "correct" && event.to !== null) {
        this.classes[event.nucleus] = event.to < 0 ? OUT : event.to
        this.corrected.add(event.nucleus)
      }
      if (event.kind === "correct" && event.to === null) this.corrected.delete(event.nucleus)
    }
    this.update()
  }

  send(event) {
    if (!this.live) return
    this.pending.push({ n: ++this.counter, ...event })
    this.overlay()
    this.viewer.send("events", { id: this.viewer.id, client: this.client, list: this.pending })
  }

  share([x, y]) {
    return [x / this.viewer.header.upload_width, y / this.viewer.header.upload_height]
  }

  pixels([u, v]) {
    const { upload_width: width, upload_height: height } = this.viewer.header
    return [Math.round(10 * u * width) / 10, Math.round(10 * v * height) / 10]
  }

  toggle() {
    this.shown = !this.shown
    this.update()
  }

  use(tool) {
    this.tool = tool
    this.corners = []
    if (tool !== "look") this.shown = true
    if (this.drawing) this.chosen = -1
    this.update()
    this.viewer.place()
  }

  update() {
    const { viewer, live } = this
    viewer.element.dataset.tool = this.tool
    viewer.find(".tools").classList.toggle("hidden", !this.outlines)
    for (const part of [".segments", ".steps"]) viewer.find(part).classList.toggle("hidden", !live)
    viewer.find(".hint").classList.toggle("hidden", !live || !this.shown || (this.chosen >= 0 && !live.problem))
    viewer.find(".hint").textContent = live?.problem || HINTS[this.tool]
    viewer.find(".hint").classList.toggle("refused", Boolean(live?.problem))
    viewer.find(".nuclei").setAttribute("aria-pressed", String(this.shown))
    viewer.element.querySelectorAll("[data-tool]").forEach(button => {
      button.setAttribute("aria-checked", String(button.dataset.tool === this.tool))
      button.tabIndex = button.dataset.tool === this.tool ? 0 : -1
    })
    const waiting = this.pending.length > 0
    viewer.find("[data-step=undo]").disabled = !live?.undo && !waiting
    viewer.find("[data-step=redo]").disabled = !live?.redo || waiting
    fillCounts(viewer.find(".counts"), this)
    fillCard(viewer.find(".card"), this)
    this.painter.placeHandles()
    this.painter.redraw()
  }

  /* ---- pointing ---- */

  tap(x, y) {
    if (!this.outlines || !this.shown) return false
    if (this.drawing) this.corner(x, y)
    else this.choose(this.under(x, y))
    return this.drawing || this.chosen >= 0
  }

  under(x, y) {
    const { stage, view } = this.viewer
    const aspect = stage.clientWidth / stage.clientHeight
    const slack = (matchMedia("(pointer: coarse)").matches ? 14 : 6) / (stage.clientWidth * view.scale)
    return this.outlines.at(...this.viewer.under(x, y), aspect, slack)
  }

  choose(row) {
    this.chosen = row
    this.update()
  }

  correct(to) {
    if (this.chosen >= 0 && this.tool === "correct") this.send({ kind: "correct", nucleus: this.chosen, to })
  }

  /* ---- drawing ---- */

  corner(x, y) {
    if (this.corners.length > 2 && this.apart(this.corners[0], x, y) < this.near) this.finish()
    else this.add(x, y, 3)
    this.update()
  }

  sketch(x, y) {
    if (this.add(x, y, 4)) this.painter.redraw()
  }

  /* Ends a line drawn by hand; what runs on beyond its beginning is cut off, so that it does not cross itself. */
  sketched() {
    const frame = this.painter.box()
    const places = this.corners.map(([u, v]) => [frame.x + u * frame.width, frame.y + v * frame.height])
    const half = places.length >> 1
    const back = places.findIndex((place, i) => i > half && this.apart(this.corners[0], ...place) < 1.5 * this.near)
    if (back > 2) this.corners.length = back
    this.finish()
  }

  get near() {
    return matchMedia("(pointer: coarse)").matches ? 24 : 11
  }

  add(x, y, least) {
    if (this.corners.length && this.apart(this.corners.at(-1), x, y) <= least) return false
    this.corners.push(this.viewer.under(x, y).map(share => Math.min(1, Math.max(0, share))))
    return true
  }

  apart([u, v], x, y) {
    const frame = this.painter.box()
    return Math.hypot(frame.x + u * frame.width - x, frame.y + v * frame.height - y)
  }

  finish() {
    const points = this.corners.map(corner => this.pixels(corner))
    this.corners = []
    this.pointer = null
    if (points.length > 2) this.send({ kind: "region", points, exclude: this.tool === "exclude" })
    this.update()
  }

  /* Whether a double click is taken: it closes a region, and zooms only while looking. */
  doubled() {
    if (this.drawing && this.corners.length > 2) this.finish()
    return this.tool !== "look"
  }

  cancel() {
    this.corners = []
    this.pointer = null
    this.chosen = -1
    this.update()
  }

  hover(x, y) {
    this.pointer = x === null ? null : [x, y]
    if (this.drawing && this.corners.length) this.painter.redraw()
  }

  /* ---- keys ---- */

  walk(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const names = Object.values(KEYS)
    this.use(names[(names.indexOf(this.tool) + step + names.length) % names.length])
    this.viewer.find(`[data-tool=${this.tool}]`).focus()
  }

  key(event) {
    if (!this.outlines || event.ctrlKey || event.metaKey || event.altKey || /SELECT|INPUT/.test(event.target.tagName)) return
    const key = event.key.toLowerCase()
    const grade = this.tool === "correct" && this.chosen >= 0 ? { 0: 0, 1: 1, 2: 2, 3: 3, x: -1 }[key] : undefined
    if (grade !== undefined) this.correct(grade)
    else if (key === "n") this.toggle()
    else if (KEYS[key] && this.live) this.use(KEYS[key])
    else if (key === "enter" && this.corners.length) this.finish()
    else if (key === "escape" && (this.corners.length || this.chosen >= 0)) this.cancel()
    else if (key === "backspace" && this.corners.length) this.corners.pop() && this.update()
    else if ((key === "." || key === ",") && !this.drawing) this.step(key === "." ? 1 : -1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  /* The next nucleus, brought into sight. */
  step(by) {
    if (!this.outlines.count) return
    this.choose((this.chosen + by + this.outlines.count) % this.outlines.count)
    const { view, stage } = this.viewer
    const [u, v] = this.outlines.centre(this.chosen)
    if (view.scale > 1) {
      view.x = stage.clientWidth * (0.5 - u * view.scale)
      view.y = stage.clientHeight * (0.5 - v * view.scale)
      clampView(view, stage)
      this.viewer.place()
    }
  }

  /* Ctrl+Z and Ctrl+Y from anywhere but a text field. */
  takeBack(event) {
    const key = event.key.toLowerCase()
    if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key) || !this.live) return
    const into = event.composedPath()[0]
    if (into.isContentEditable || /TEXTAREA|SELECT/.test(into.tagName) || (into.tagName === "INPUT" && into.type !== "range")) return
    event.preventDefault()
    if (key === "z" && !event.shiftKey && this.corners.length) this.corners.pop() && this.update()
    else this.send({ kind: key === "y" || event.shiftKey ? "redo" : "undo" })
  }
}
