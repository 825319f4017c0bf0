/* Outlines of nuclei on a canvas as large as the stage, drawn anew after every move: crisp at any zoom. */

const OUT = 255 // class of what is left out
const BATCH = 150 // outlines a stroke: one path of thousands is slower than many small ones
const HEAVY = 40000 // corners that take longer to draw than a frame lasts
const GREY = "#6b7378"

class Outlines {
  /* spec: header.nuclei. Places are shares of the picture: the centre, then the corners of the outline. */
  constructor(spec, blob) {
    this.spec = spec
    this.count = spec.count
    this.stride = 2 * (spec.points + 1)
    this.places = Float32Array.from(words(blob(spec.places)), place => place / 65535)
    this.columns = spec.columns.map(column => ({ ...column, steps: words(blob(column.at)) }))
    this.reach = new Float32Array(this.count) // from the centre to the farthest corner, as a share of the width
    for (let row = 0; row < this.count; row++) {
      const [x, y] = this.centre(row)
      for (let at = row * this.stride + 2; at < (row + 1) * this.stride; at += 2) {
        const far = Math.max(Math.abs(this.places[at] - x), Math.abs(this.places[at + 1] - y))
        if (far > this.reach[row]) this.reach[row] = far
      }
    }
    this.typical = this.count ? Float32Array.from(this.reach).sort()[this.count >> 1] : 0
  }

  centre(row) {
    return [this.places[row * this.stride], this.places[row * this.stride + 1]]
  }

  /* [title, value with unit] of every number of a nucleus. */
  numbers(row) {
    return this.columns.map(({ title, unit, digits, scale, steps }) => {
      const known = steps[row] !== 65535
      return [title, known ? `${(steps[row] * scale).toFixed(digits)} ${unit}` : "none"]
    })
  }

  /* The nucleus at a place given as shares, or the nearest within `slack` shares of the width; -1 for none. */
  at(u, v, aspect, slack) {
    let best = -1
    let nearest = Infinity
    for (let row = 0; row < this.count; row++) {
      const [x, y] = this.centre(row)
      const distance = Math.hypot(u - x, (v - y) / aspect)
      if (distance >= nearest || distance > this.reach[row] * 1.5 + slack) continue
      if (distance <= slack || this.holds(row, u, v)) {
        best = row
        nearest = distance
      }
    }
    return best
  }

  holds(row, u, v) {
    const { places, stride } = this
    let odd = false
    let before = (row + 1) * stride - 2
    for (let at = row * stride + 2; at < (row + 1) * stride; before = at, at += 2) {
      const [x0, y0, x1, y1] = [places[at], places[at + 1], places[before], places[before + 1]]
      if (y0 > v !== y1 > v && u < x0 + ((v - y0) * (x1 - x0)) / (y1 - y0)) odd = !odd
    }
    return odd
  }

  /* `frame`: { width, height of the whole picture in stage pixels, x, y of its corner, right, bottom of the stage }. */
  draw(context, frame, classes, marked) {
    const seen = this.visible(frame, classes)
    const radius = this.typical * frame.width
    // Of 16 corners as many as can be told apart, where there are many nuclei.
    const step = seen.total < 3000 || radius > 14 ? 1 : radius > 6 ? 2 : 4
    const wide = Math.min(2.4, Math.max(1, radius / 7))
    context.lineJoin = "round"
    if (seen.total < 4000 && radius > 3) {
      context.strokeStyle = "rgba(255, 255, 255, 0.85)"
      context.lineWidth = wide + 1.6
      for (const rows of seen.rows.slice(1)) this.stroke(context, rows, frame, step)
    }
    seen.rows.forEach((rows, place) => {
      context.strokeStyle = place ? this.spec.colours[place - 1] : GREY
      context.lineWidth = place ? wide : 1
      this.stroke(context, rows, frame, step)
    })
    this.mark(context, marked, frame, classes, Math.max(2, Math.min(4, radius / 3)))
    this.heavy = (seen.total * this.spec.points) / step > HEAVY
    return seen.total
  }

  /* Rows in sight by class, those left out first. */
  visible(frame, classes) {
    const rows = [[], [], [], [], []]
    let total = 0
    for (let row = 0; row < this.count; row++) {
      const x = frame.x + this.places[row * this.stride] * frame.width
      const y = frame.y + this.places[row * this.stride + 1] * frame.height
      const far = this.reach[row] * Math.max(frame.width, frame.height)
      if (x + far < 0 || y + far < 0 || x - far > frame.right || y - far > frame.bottom) continue
      rows[classes[row] === OUT ? 0 : classes[row] + 1].push(row)
      total++
    }
    return { rows, total }
  }

  stroke(context, rows, frame, step) {
    for (let from = 0; from < rows.length; from += BATCH) {
      context.beginPath()
      for (const row of rows.slice(from, from + BATCH)) this.trace(context, row, frame, step)
      context.stroke()
    }
  }

  trace(context, row, frame, step) {
    const { places, stride } = this
    const first = row * stride + 2
    context.moveTo(frame.x + places[first] * frame.width, frame.y + places[first + 1] * frame.height)
    for (let at = first + 2 * step; at < first + stride - 2; at += 2 * step) {
      context.lineTo(frame.x + places[at] * frame.width, frame.y + places[at + 1] * frame.height)
    }
    context.closePath()
  }

  /* A dot in each nucleus whose class was given by eye. */
  mark(context, rows, frame, classes, size) {
    for (const row of rows) {
      const [u, v] = this.centre(row)
      context.beginPath()
      context.arc(frame.x + u * frame.width, frame.y + v * frame.height, size, 0, 7)
      context.fillStyle = classes[row] === OUT ? GREY : this.spec.colours[classes[row]]
      context.fill()
      context.lineWidth = 1.2
      context.strokeStyle = "#fff"
      context.stroke()
    }
  }

  highlight(context, row, frame) {
    for (const [colour, wide] of [["#000", 5], ["#fff", 3]]) {
      context.strokeStyle = colour
      context.lineWidth = wide
      context.beginPath()
      this.trace(context, row, frame, 1)
      context.stroke()
    }
  }
}

/* Two bytes each, little endian, as all machines with a browser are. */
function words(bytes) {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
}

/* A region: dashed. What counts is tinted hardly, what is excluded clearly. */
function drawRegion(context, points, { exclude, closed, frame }) {
  const dark = exclude ? "#8b1a4b" : "#00513b"
  const bright = exclude ? "#ff8fc0" : "#5ff0b8"
  context.beginPath()
  points.forEach(([u, v], i) => {
    const x = frame.x + u * frame.width
    const y = frame.y + v * frame.height
    if (i) context.lineTo(x, y)
    else context.moveTo(x, y)
  })
  if (closed) {
    context.closePath()
    context.fillStyle = exclude ? "rgba(255, 143, 192, 0.22)" : "rgba(95, 240, 184, 0.07)"
    context.fill()
  }
  context.lineJoin = "round"
  for (const [colour, dash, wide] of [[dark, [], 3.6], [bright, [7, 5], 2]]) {
    context.strokeStyle = colour
    context.setLineDash(dash)
    context.lineWidth = wide
    context.stroke()
  }
  context.setLineDash([])
}

function drawSpot(context, [x, y, radius], frame, header) {
  const across = frame.x + (x / header.upload_width) * frame.width
  const down = frame.y + (y / header.upload_height) * frame.height
  const size = (radius / header.upload_width) * frame.width
  for (const [colour, wide] of [["#000a", 4], ["#fff", 2]]) {
    context.beginPath()
    context.arc(across, down, size, 0, 7)
    context.strokeStyle = colour
    context.lineWidth = wide
    context.stroke()
  }
  context.font = "600 12px sans-serif"
  context.textAlign = "center"
  context.lineWidth = 3
  context.strokeStyle = "#000c"
  context.fillStyle = "#fff"
  const top = Math.max(14, down - size - 5)
  context.strokeText("hot spot", across, top)
  context.fillText("hot spot", across, top)
}
