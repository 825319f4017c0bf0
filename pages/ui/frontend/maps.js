/* Value maps: one byte a pixel. With gaps, 0 means "no value here"; otherwise 0..255 spans vmin..vmax. */

async function decodeMap(bytes, spec) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: spec.mime }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  })
  const canvas = document.createElement("canvas")
  canvas.width = bitmap.width
  canvas.height = bitmap.height
  const context = canvas.getContext("2d", { willReadFrequently: true })
  context.drawImage(bitmap, 0, 0)
  const rgba = context.getImageData(0, 0, canvas.width, canvas.height).data
  const values = new Uint8Array(canvas.width * canvas.height)
  for (let i = 0; i < values.length; i++) values[i] = rgba[4 * i]
  bitmap.close()
  return { ...spec, width: canvas.width, height: canvas.height, values }
}

function decodeLut(base64) {
  return Uint8Array.from(atob(base64), c => c.charCodeAt(0)) // 256 x RGB
}

function paintMap(canvas, map, lut) {
  canvas.width = map.width
  canvas.height = map.height
  const context = canvas.getContext("2d")
  const picture = context.createImageData(map.width, map.height)
  const out = picture.data
  for (let i = 0, o = 0; i < map.values.length; i++, o += 4) {
    const value = map.values[i]
    if (map.gaps && value === 0) continue
    const k = 3 * value
    out[o] = lut[k]
    out[o + 1] = lut[k + 1]
    out[o + 2] = lut[k + 2]
    out[o + 3] = map.fades ? Math.min(255, 50 + 1.2 * value) : 255 // where little speaks for the class, tissue shows
  }
  context.putImageData(picture, 0, 0)
}

function paintBar(canvas, lut) {
  canvas.width = 256
  canvas.height = 1
  const context = canvas.getContext("2d")
  const picture = context.createImageData(256, 1)
  for (let i = 0; i < 256; i++) {
    picture.data.set([lut[3 * i], lut[3 * i + 1], lut[3 * i + 2], 255], 4 * i)
  }
  context.putImageData(picture, 0, 0)
}

/* The value under a place of the picture, given as shares of its width and height; null in a gap. */
function valueAt(map, u, v) {
  if (!map || u < 0 || v < 0 || u >= 1 || v >= 1) return null
  const byte = map.values[Math.floor(v * map.height) * map.width + Math.floor(u * map.width)]
  if (map.gaps) return byte === 0 ? null : map.vmin + ((byte - 1) / 254) * (map.vmax - map.vmin)
  return map.vmin + (byte / 255) * (map.vmax - map.vmin)
}
