/* The picture of a result: layers switched, blended and coloured in the browser, without asking the server again. */

const viewers = new WeakMap()

export default function (component) {
  const root = component.parentElement
  const packet = unpack(component.data)
  let viewer = viewers.get(root)
  if (!viewer) {
    viewer = new Viewer(root.querySelector(".viewer"))
    viewers.set(root, viewer)
  }
  viewer.send = component.setStateValue
  if (packet && viewer.id !== packet.header.id) viewer.load(packet)
  return () => {
    viewer.close()
    viewers.delete(root)
  }
}

/* Four bytes of length, a JSON header, then the blobs it names by [offset, length]. */
function unpack(data) {
  if (!data || !data.byteLength) return null
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  return { header, blob: ([offset, size]) => bytes.slice(4 + length + offset, 4 + length + offset + size) }
}

class Viewer {
  constructor(element) {
    this.element = element
    this.find = selector => element.querySelector(selector)
    this.stage = this.find(".stage")
    this.view = { scale: 1, x: 0, y: 0 }
    this.urls = []
    this.remembered = {} // what the reader chose stays for the next picture
    this.tools = new Tools(this)
    listen(this.stage, this.view, {
      moved: () => this.place(),
      hover: (x, y) => this.read(x, y),
      tap: (x, y) => this.tap(x, y),
      slides: x => this.layer?.kind === "compare" && (this.view.scale === 1 || Math.abs(x - this.dividerX()) < 28),
      slide: x => this.slide((100 * x) / this.stage.clientWidth),
      draws: () => this.tools.drawing,
      sketch: (x, y) => this.tools.sketch(x, y),
      sketched: () => this.tools.sketched(),
      dropped: () => this.tools.cancel(),
      doubled: () => this.tools.doubled(),
    })
    this.element.querySelectorAll("[data-zoom]").forEach(b => (b.onclick = () => this.zoom(b.dataset.zoom)))
    this.find(".opacity input").oninput = event => this.blend(Number(event.target.value))
    this.find(".compare input").oninput = event => this.slide(Number(event.target.value))
    this.find(".camlayer select").onchange = event => this.choose({ cam: event.target.value })
    this.find(".colormap select").onchange = event => this.choose({ colormap: event.target.value })
    this.watcher = new ResizeObserver(() => this.fit())
    this.watcher.observe(this.find(".frame"))
  }

  close() {
    this.watcher.disconnect()
    this.tools.close()
    this.urls.forEach(url => URL.revokeObjectURL(url))
  }

  async load({ header, blob }) {
    this.id = header.id
    this.header = header
    this.urls.forEach(url => URL.revokeObjectURL(url))
    this.images = {}
    for (const [name, spec] of Object.entries(header.images)) {
      this.images[name] = URL.createObjectURL(new Blob([blob(spec.at)], { type: spec.mime }))
    }
    this.urls = Object.values(this.images)
    this.luts = Object.fromEntries(Object.entries(header.luts).map(([name, text]) => [name, decodeLut(text)]))
    this.maps = {}
    Object.assign(this.view, { scale: 1, x: 0, y: 0 })
    this.chosen = { ...header.start, ...this.remembered }
    if (!header.layers.some(layer => layer.id === this.chosen.layer)) this.chosen.layer = header.start.layer
    if (!header.cams.includes(this.chosen.cam)) this.chosen.cam = header.start.cam
    this.opacities = Object.fromEntries(header.layers.map(layer => [layer.id, layer.opacity ?? 100]))
    this.divider = 50
    drawTiles(this.find(".tiles"), header)
    fillControls(this)
    this.tools.load(header, blob)
    this.show()
    this.fit()
    const decoded = Object.entries(header.maps).map(async ([name, spec]) => {
      const map = await decodeMap(blob(spec.at), spec)
      if (this.id === header.id) this.maps[name] = map
    })
    await Promise.all(decoded)
    if (this.id === header.id) this.show()
    this.element.dataset.ready = header.id
  }

  choose(change) {
    Object.assign(this.chosen, change)
    Object.assign(this.remembered, change)
    this.show()
  }

  get layer() {
    return this.header?.layers.find(layer => layer.id === this.chosen.layer)
  }

  /* The name of the value map that the current layer shows. */
  get mapName() {
    return this.layer.id === "cam" ? `cam:${this.chosen.cam}` : this.layer.map
  }

  show() {
    const { layer, header } = this
    const map = this.maps[this.mapName]
    const spec = header.maps[this.mapName]
    const lut = this.luts[layer.lut ?? this.chosen.colormap]
    const set = (selector, shown) => this.find(selector).classList.toggle("hidden", !shown)
    this.element.dataset.layer = layer.id
    this.find(".base").src = this.images[layer.base]
    this.find(".base").alt = `${header.name}: ${layer.title}`
    set(".top", layer.kind === "compare")
    if (layer.kind === "compare") this.find(".top").src = this.images.ihc
    set(".overlay", layer.kind === "map" && map)
    if (layer.kind === "map" && map) paintMap(this.find(".overlay"), map, lut)
    set(".tiles", layer.kind === "tiles")
    for (const selector of [".divider", ".side.left", ".side.right", ".compare"]) set(selector, layer.kind === "compare")
    set(".opacity", layer.kind === "map" || layer.kind === "tiles")
    set(".camlayer", layer.id === "cam")
    set(".colormap", layer.kind === "map" && !layer.lut)
    set(".bar", layer.kind === "map" && spec)
    if (layer.kind === "map" && spec) showBar(this.find(".bar"), spec, lut)
    set(".legend.kinds", layer.kind === "tiles")
    const banner = layer.base === "ihc" || layer.kind === "compare" ? header.banner : ""
    this.find(".banner").textContent = banner
    set(".banner", banner)
    this.element.querySelectorAll(".layers button").forEach(button => {
      button.setAttribute("aria-checked", String(button.dataset.layer === layer.id))
      button.tabIndex = button.dataset.layer === layer.id ? 0 : -1
    })
    this.blend(this.opacities[layer.id])
    this.place()
  }

  blend(percent) {
    this.opacities[this.layer.id] = percent
    this.find(".overlay").style.opacity = percent / 100
    this.find(".tiles").style.setProperty("--fill", percent / 100)
    this.find(".opacity input").value = percent
    this.find(".opacity output").textContent = `${percent} %`
  }

  slide(percent) {
    this.divider = Math.min(100, Math.max(0, percent))
    this.find(".compare input").value = this.divider
    this.place()
  }

  dividerX() {
    return (this.divider / 100) * this.stage.clientWidth
  }

  /* The stage is the largest box of the picture's shape that fits the column and the screen. */
  fit() {
    if (!this.header) return
    const aspect = this.header.width / this.header.height
    const share = this.tools.outlines ? 0.58 : 0.68 // below the nuclei stand the numbers of the chosen one
    const tallest = document.fullscreenElement ? window.innerHeight - 270 : Math.max(320, share * window.innerHeight)
    const width = Math.min(this.find(".frame").clientWidth, tallest * aspect)
    this.stage.style.width = `${width}px`
    this.stage.style.height = `${width / aspect}px`
    clampView(this.view, this.stage)
    this.place()
  }

  place() {
    const { view, stage } = this
    this.find(".moving").style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`
    const slides = this.layer?.kind === "compare"
    stage.style.touchAction = view.scale === 1 && !slides && !this.tools.drawing ? "pan-y" : "none"
    stage.classList.toggle("zoomed", view.scale > 1 && this.tools.tool === "look")
    if (slides) {
      const cut = (100 * (this.dividerX() - view.x)) / (stage.clientWidth * view.scale)
      this.find(".top").style.clipPath = `inset(0 0 0 ${Math.min(100, Math.max(0, cut))}%)`
      this.find(".divider").style.left = `${this.divider}%`
    }
    showScaleBar(this.find(".scalebar"), this)
    this.tools.painter.placeHandles()
    this.tools.painter.redraw()
  }

  zoom(action) {
    const { clientWidth: width, clientHeight: height } = this.stage
    if (action === "fit") Object.assign(this.view, { scale: 1, x: 0, y: 0 })
    else if (action === "full") this.toggleFullScreen()
    else zoomAt(this.view, this.stage, action === "in" ? 1.5 : 1 / 1.5, width / 2, height / 2)
    this.place()
  }

  async toggleFullScreen() {
    if (document.fullscreenElement) await document.exitFullscreen()
    else if (this.element.requestFullscreen) await this.element.requestFullscreen()
    this.fit()
  }

  /* Shares of the picture's width and height under a place of the stage. */
  under(x, y) {
    const { view, stage } = this
    return [(x - view.x) / (stage.clientWidth * view.scale), (y - view.y) / (stage.clientHeight * view.scale)]
  }

  read(x, y) {
    this.tools.hover(x, y)
    const readout = this.find(".readout")
    if (x === null || !this.header) {
      readout.textContent = ""
      return
    }
    readout.textContent = describe(this, ...this.under(x, y))
  }

  tap(x, y) {
    this.read(x, y)
    if (this.tools.tap(x, y)) return
    const [u, v] = this.under(x, y)
    const tile = this.layer.kind === "tiles" ? tileAt(this.header, u, v) : null
    if (!tile || this.view.scale > 1) return
    const { clientWidth: width, clientHeight: height } = this.stage
    const [left, top, tileWidth, tileHeight] = tile
    const scale = Math.min(LARGEST_ZOOM, 0.8 / Math.max(tileWidth, tileHeight))
    this.view.scale = scale
    this.view.x = width * (0.5 - (left + tileWidth / 2) * scale)
    this.view.y = height * (0.5 - (top + tileHeight / 2) * scale)
    clampView(this.view, this.stage)
    this.place()
  }
}
