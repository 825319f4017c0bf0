/* Probabilities as bars: label, bar, per cent. Classes that cannot be excluded are marked. */
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".bars")
  root.replaceChildren(
    ...(data?.rows ?? []).flatMap(row => {
      const label = document.createElement("span")
      label.textContent = row.label
      label.className = row.chosen ? "label chosen" : "label"
      const track = document.createElement("span")
      track.className = row.possible ? "track possible" : "track"
      const bar = document.createElement("i")
      bar.style.width = `${100 * row.share}%`
      bar.style.background = row.colour
      track.append(bar)
      const value = document.createElement("span")
      value.textContent = row.text
      value.className = "value"
      return [label, track, value]
    }),
  )
}
