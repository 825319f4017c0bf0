/* Zoom and pan of a stage: wheel, drag, pinch, double click, keys. `view` is { scale, x, y } in stage pixels. */

const LARGEST_ZOOM = 16

function clampView(view, stage) {
  const { width, height } = stage.getBoundingClientRect()
  view.scale = Math.min(LARGEST_ZOOM, Math.max(1, view.scale))
  view.x = Math.min(0, Math.max(width * (1 - view.scale), view.x))
  view.y = Math.min(0, Math.max(height * (1 - view.scale), view.y))
}

function zoomAt(view, stage, factor, x, y) {
  const before = view.scale
  view.scale = Math.min(LARGEST_ZOOM, Math.max(1, before * factor))
  const real = view.scale / before
  view.x = x - (x - view.x) * real
  view.y = y - (y - view.y) * real
  clampView(view, stage)
}

function place(event, stage) {
  const box = stage.getBoundingClientRect()
  return { x: event.clientX - box.left, y: event.clientY - box.top }
}

/* `hooks`: moved() after a change of the view; hover(x, y) or hover(null); tap(x, y); slides(x) says whether a drag
   that starts there moves the divider; slide(x) moves it; draws() says whether a drag draws: sketch(x, y) goes on,
   sketched() ends it, dropped() where a second finger shows that it was none; doubled() takes a double click. */
function listen(stage, view, hooks) {
  const pointers = new Map()
  let travelled = 0
  let sliding = false
  let drawing = false
  let start = null
  let spread = 0

  stage.onpointerdown = event => {
    if (event.target.closest("button")) return
    stage.setPointerCapture(event.pointerId)
    const at = place(event, stage)
    pointers.set(event.pointerId, at)
    travelled = 0
    sliding = pointers.size === 1 && hooks.slides(at.x)
    if (drawing && pointers.size > 1 && start === null) hooks.dropped()
    drawing = pointers.size === 1 && event.button === 0 && hooks.draws()
    start = at
    if (event.button === 1) event.preventDefault() // the middle button moves the picture while a region is drawn
    if (sliding) hooks.slide(at.x)
    if (pointers.size === 2) spread = distance(pointers)
  }
  stage.onpointermove = event => {
    const at = place(event, stage)
    if (!pointers.has(event.pointerId)) {
      hooks.hover(at.x, at.y)
      return
    }
    const last = pointers.get(event.pointerId)
    pointers.set(event.pointerId, at)
    travelled += Math.abs(at.x - last.x) + Math.abs(at.y - last.y)
    if (pointers.size === 2) {
      const [a, b] = [...pointers.values()]
      const now = distance(pointers)
      if (spread > 0) zoomAt(view, stage, now / spread, (a.x + b.x) / 2, (a.y + b.y) / 2)
      spread = now
    } else if (sliding) {
      hooks.slide(at.x)
    } else if (drawing) {
      if (travelled > 8) {
        if (start) hooks.sketch(start.x, start.y)
        start = null
        hooks.sketch(at.x, at.y)
      }
      return
    } else {
      view.x += at.x - last.x
      view.y += at.y - last.y
      clampView(view, stage)
    }
    hooks.hover(at.x, at.y)
    hooks.moved()
  }
  stage.onpointerup = event => {
    const single = pointers.size === 1
    pointers.delete(event.pointerId)
    const at = place(event, stage)
    if (single && drawing && start === null) hooks.sketched()
    else if (single && travelled <= 8 && !event.target.closest("button")) hooks.tap(at.x, at.y)
    drawing = false
  }
  stage.onpointercancel = event => pointers.delete(event.pointerId)
  stage.onpointerleave = event => {
    if (event.pointerType === "mouse") hooks.hover(null) // after a tap the values stay
  }
  stage.ondblclick = event => {
    if (event.target.closest("button") || hooks.doubled()) return
    const at = place(event, stage)
    zoomAt(view, stage, event.shiftKey ? 0.5 : 2, at.x, at.y)
    hooks.moved()
  }
  // A wheel over the picture scrolls the page until the picture was clicked: no scroll trap.
  stage.onwheel = event => {
    const chosen = stage.getRootNode().activeElement === stage
    if (!event.ctrlKey && !chosen) return
    event.preventDefault()
    const at = place(event, stage)
    zoomAt(view, stage, Math.exp(-event.deltaY / 400), at.x, at.y)
    hooks.moved()
  }
  stage.onkeydown = event => {
    const { width, height } = stage.getBoundingClientRect()
    const step = 60
    const actions = {
      "+": () => zoomAt(view, stage, 1.5, width / 2, height / 2),
      "=": () => zoomAt(view, stage, 1.5, width / 2, height / 2),
      "-": () => zoomAt(view, stage, 1 / 1.5, width / 2, height / 2),
      0: () => Object.assign(view, { scale: 1, x: 0, y: 0 }),
      ArrowLeft: () => (view.x += step),
      ArrowRight: () => (view.x -= step),
      ArrowUp: () => (view.y += step),
      ArrowDown: () => (view.y -= step),
    }
    if (!actions[event.key] || event.target !== stage) return
    event.preventDefault()
    actions[event.key]()
    clampView(view, stage)
    hooks.moved()
  }
}

function distance(pointers) {
  const [a, b] = [...pointers.values()]
  return Math.hypot(a.x - b.x, a.y - b.y)
}
