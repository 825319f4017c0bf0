/* Pictures in rows: click opens one, the star marks it; arrow keys go from one to the next. */
const pending = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".grid")
  const cells = data?.cells ?? []
  // Stars that the server does not know yet: sent again with every further one, so that none is lost.
  const waiting = pending.get(root) ?? new Map()
  pending.set(root, waiting)
  for (const cell of cells) if (waiting.get(cell.id) === cell.marked) waiting.delete(cell.id)
  root.style.setProperty("--side", `${data?.side ?? 112}px`)
  const focused = root.getRootNode().activeElement?.dataset ?? {}

  const mark = (cell, star) => {
    const on = !(waiting.get(cell.id) ?? cell.marked)
    waiting.set(cell.id, on)
    paint(star, on)
    setTriggerValue("stars", Object.fromEntries(waiting))
  }
  const open = (cell, button) => {
    root.querySelectorAll(".cell.selected").forEach(each => each.classList.remove("selected"))
    button.parentElement.classList.add("selected")
    setTriggerValue("opened", cell.id)
  }
  const step = (event, index) => {
    const columns = getComputedStyle(root).gridTemplateColumns.split(" ").length
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key]
    if (!move) return
    event.preventDefault()
    root.children[index + move]?.querySelector(".picture").focus()
  }

  root.replaceChildren(
    ...cells.map((cell, index) => {
      const item = document.createElement("div")
      item.className = cell.id === data.selected ? "cell selected" : "cell"
      item.setAttribute("role", "listitem")
      const button = document.createElement("button")
      button.type = "button"
      button.className = "picture"
      button.dataset.id = cell.id
      button.setAttribute("aria-label", cell.alt || cell.id)
      button.onclick = () => open(cell, button)
      button.onkeydown = event => step(event, index)
      const image = document.createElement("img")
      image.src = cell.src
      image.alt = ""
      image.decoding = "async"
      button.append(image)
      item.append(button)
      if (cell.badge) item.append(text("badge " + cell.tone, cell.badge))
      if (cell.marked !== null && cell.marked !== undefined) {
        const star = document.createElement("button")
        star.type = "button"
        star.dataset.star = cell.id
        star.onclick = () => mark(cell, star)
        star.setAttribute("aria-label", `Favourite: ${cell.alt || cell.id}`)
        paint(star, waiting.get(cell.id) ?? cell.marked)
        item.append(star)
      }
      if (cell.caption) item.append(text("caption", cell.caption))
      if (cell.detail) item.append(text("detail", cell.detail))
      return item
    }),
  )
  const again = focused.id !== undefined ? "id" : focused.star !== undefined ? "star" : ""
  if (again) root.querySelector(`button[data-${again}="${CSS.escape(focused[again])}"]`)?.focus()
}

function paint(star, on) {
  star.className = on ? "star on" : "star"
  star.setAttribute("aria-pressed", String(on))
  star.textContent = on ? "★" : "☆"
}

function text(kind, words) {
  const line = document.createElement("span")
  line.className = kind
  line.textContent = words
  return line
}
