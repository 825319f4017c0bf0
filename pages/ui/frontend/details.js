/* What stands on and around the picture: tiles, controls, colour bar, scale bar, the values under the pointer. */

const SVG = "http://www.w3.org/2000/svg"

/* header.tiles: [left, top, width, height] as shares of the picture, label, confidence, explained. */
function drawTiles(svg, header) {
  svg.setAttribute("viewBox", `0 0 ${header.width} ${header.height}`)
  svg.replaceChildren()
  for (const [left, top, width, height, label, confidence] of header.tiles) {
    const tile = document.createElementNS(SVG, "rect")
    tile.setAttribute("x", left * header.width)
    tile.setAttribute("y", top * header.height)
    tile.setAttribute("width", width * header.width)
    tile.setAttribute("height", height * header.height)
    tile.style.setProperty("--colour", header.colours[label] ?? "#888888")
    tile.dataset.label = label
    svg.append(tile)
    if (header.tiles.length > 40 || width < 0.08) continue
    const text = document.createElementNS(SVG, "text")
    text.setAttribute("x", (left + width / 2) * header.width)
    text.setAttribute("y", (top + height / 2) * header.height)
    text.setAttribute("font-size", Math.min(0.3 * height * header.height, 0.045 * header.width))
    text.textContent = `${label} ${Math.round(100 * confidence)} %`
    svg.append(text)
  }
}

function tileAt(header, u, v) {
  const inside = ([left, top, width, height]) => u >= left && v >= top && u < left + width && v < top + height
  return header.tiles.find(inside) ?? null
}

function fillControls(viewer) {
  const { header } = viewer
  const row = viewer.find(".layers")
  row.replaceChildren(
    ...header.layers.map(layer => {
      const button = document.createElement("button")
      button.type = "button"
      button.role = "radio"
      button.dataset.layer = layer.id
      button.textContent = layer.title
      button.onclick = () => viewer.choose({ layer: layer.id })
      return button
    }),
  )
  row.onkeydown = event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const at = header.layers.indexOf(viewer.layer)
    const next = header.layers[(at + step + header.layers.length) % header.layers.length]
    viewer.choose({ layer: next.id })
    row.querySelector(`[data-layer="${next.id}"]`).focus()
  }
  fillSelect(viewer.find(".camlayer select"), header.cams, viewer.chosen.cam)
  fillSelect(viewer.find(".colormap select"), header.colormaps, viewer.chosen.colormap)
  const counts = {}
  for (const tile of header.tiles) counts[tile[4]] = (counts[tile[4]] ?? 0) + 1
  viewer.find(".legend.kinds").replaceChildren(
    ...Object.entries(header.colours).map(([label, colour]) => {
      const item = document.createElement("span")
      const swatch = document.createElement("i")
      swatch.style.background = colour
      item.append(swatch, `${label}: ${counts[label] ?? 0}`)
      return item
    }),
  )
}

function fillSelect(select, names, chosen) {
  select.replaceChildren(...names.map(name => new Option(name, name, false, name === chosen)))
}

function showBar(bar, spec, lut) {
  paintBar(bar.querySelector("canvas"), lut)
  bar.querySelector(".title").textContent = spec.label
  const [low, middle, high] = bar.querySelectorAll(".ticks i")
  low.textContent = spec.vmin.toFixed(1)
  middle.textContent = ((spec.vmin + spec.vmax) / 2).toFixed(2)
  high.textContent = (spec.open ? "≥ " : "") + spec.vmax.toFixed(1)
}

/* A bar of a round length, at most a quarter of the stage; nothing where the pixel size is unknown. */
function showScaleBar(bar, viewer) {
  const { header, stage, view } = viewer
  bar.classList.toggle("hidden", !header?.width_um)
  if (!header?.width_um) return
  const pixelsPerMicron = (stage.clientWidth * view.scale) / header.width_um
  const longest = (0.25 * stage.clientWidth) / pixelsPerMicron
  const power = 10 ** Math.floor(Math.log10(longest))
  const length = [5, 2, 1].map(k => k * power).find(l => l <= longest) ?? power
  bar.querySelector("i").style.width = `${length * pixelsPerMicron}px`
  bar.querySelector("b").textContent = length >= 1000 ? `${length / 1000} mm` : `${length} µm`
}

function describe(viewer, u, v) {
  if (u < 0 || v < 0 || u >= 1 || v >= 1) return ""
  const { header, maps, chosen } = viewer
  const parts = []
  const dab = valueAt(maps.dab, u, v)
  if (dab !== null) parts.push(`DAB ${dab.toFixed(2)} OD`)
  const hematoxylin = valueAt(maps.hematoxylin, u, v)
  if (hematoxylin !== null && viewer.layer.id === "hematoxylin") parts.push(`hematoxylin ${hematoxylin.toFixed(2)} OD`)
  const cam = valueAt(maps[`cam:${chosen.cam}`], u, v)
  if (cam !== null) parts.push(`Grad-CAM ${cam.toFixed(2)}`)
  const tile = header.tiles.length > 1 ? tileAt(header, u, v) : null
  if (tile) parts.push(`tile ${tile[4]} ${Math.round(100 * tile[5])} %`)
  parts.push(`x ${Math.round(u * header.upload_width)}, y ${Math.round(v * header.upload_height)} px`)
  return parts.join("  ·  ")
}
