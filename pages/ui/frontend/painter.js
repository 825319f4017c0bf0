/* Paints outlines, regions and what is being drawn over the stage, whenever the view or the state of the tools changes. */

class Painter {
  constructor(tools) {
    this.tools = tools
    this.canvas = tools.viewer.find(".outlines")
  }

  close() {
    cancelAnimationFrame(this.frame)
    clearTimeout(this.timer)
  }

  box() {
    const { view, stage } = this.tools.viewer
    const { clientWidth: right, clientHeight: bottom } = stage
    return { x: view.x, y: view.y, width: right * view.scale, height: bottom * view.scale, right, bottom }
  }

  redraw() {
    clearTimeout(this.timer)
    if (this.tools.outlines?.heavy && this.drawn) {
      // Too many to draw on every move: the last drawing follows, and is replaced when the hand rests.
      const { view } = this.tools.viewer
      const by = view.scale / this.drawn.scale
      this.canvas.style.transform = `translate(${view.x - by * this.drawn.x}px, ${view.y - by * this.drawn.y}px) scale(${by})`
      this.timer = setTimeout(() => this.paint(), 90)
    } else {
      cancelAnimationFrame(this.frame)
      this.frame = requestAnimationFrame(() => this.paint())
    }
  }

  paint() {
    const { canvas, tools } = this
    const { viewer, outlines } = tools
    const frame = this.box()
    const dense = window.devicePixelRatio || 1
    canvas.width = Math.round(frame.right * dense)
    canvas.height = Math.round(frame.bottom * dense)
    canvas.style.transform = ""
    this.drawn = { ...viewer.view }
    const visible = outlines && tools.shown && viewer.header
    canvas.classList.toggle("hidden", !visible)
    if (!visible) return
    const context = canvas.getContext("2d")
    context.scale(dense, dense)
    viewer.element.dataset.drawn = outlines.draw(context, frame, tools.classes, tools.corrected)
    for (const region of tools.regions) drawRegion(context, region.points, { ...region, closed: true, frame })
    if (tools.live?.hot) drawSpot(context, tools.live.hot, frame, viewer.header)
    if (tools.corners.length) this.paintSketch(context, frame)
    if (tools.chosen >= 0) outlines.highlight(context, tools.chosen, frame)
    this.placeHandles()
  }

  paintSketch(context, frame) {
    const { corners, pointer, viewer } = this.tools
    const open = pointer ? [...corners, viewer.under(...pointer)] : corners
    drawRegion(context, open, { exclude: this.tools.tool === "exclude", closed: false, frame })
    corners.slice(0, 1).forEach(([u, v]) => {
      context.beginPath()
      context.arc(frame.x + u * frame.width, frame.y + v * frame.height, 6, 0, 7)
      context.fillStyle = "#fff"
      context.fill()
      context.lineWidth = 2
      context.strokeStyle = "#222"
      context.stroke()
    })
  }

  /* A small button at the top of each region takes it away. */
  placeHandles() {
    const handles = this.tools.viewer.find(".handles")
    const { live, shown, drawing, corners, regions } = this.tools
    const wanted = live && shown && drawing && !corners.length ? regions : []
    while (handles.children.length > wanted.length) handles.lastChild.remove()
    while (handles.children.length < wanted.length) handles.append(document.createElement("button"))
    const frame = this.box()
    wanted.forEach((region, place) => {
      const button = handles.children[place]
      const [u, v] = region.points.reduce((top, point) => (point[1] < top[1] ? point : top))
      const words = `Remove ${region.exclude ? "excluded region" : "region"} ${place + 1}`
      button.type = "button"
      button.textContent = "×"
      button.title = words
      button.setAttribute("aria-label", words)
      button.style.left = `${Math.min(frame.right - 16, Math.max(16, frame.x + u * frame.width))}px`
      button.style.top = `${Math.min(frame.bottom - 16, Math.max(16, frame.y + v * frame.height))}px`
      button.onclick = () => this.tools.send({ kind: "remove", region: place })
    })
  }
}
