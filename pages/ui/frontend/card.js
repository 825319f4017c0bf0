/* What stands below the picture about its nuclei: counts by class, numbers of the chosen one, classes to choose. */

/* How many of each class: the legend of the outlines. */
function fillCounts(legend, { outlines, classes, shown, corrected }) {
  legend.classList.toggle("hidden", !outlines || !shown)
  if (!outlines || !shown) return
  const counts = new Array(256).fill(0)
  for (const each of classes) counts[each]++
  const items = outlines.spec.classes.map((title, grade) => [title, counts[grade], outlines.spec.colours[grade]])
  if (counts[OUT]) items.push(["left out", counts[OUT], GREY])
  legend.replaceChildren(
    ...items.map(([title, count, colour]) => {
      const item = document.createElement("span")
      const swatch = document.createElement("i")
      swatch.style.borderColor = colour
      item.append(swatch, `${title}: ${count}`)
      return item
    }),
    ...(corrected.size ? [document.createTextNode(`● by eye: ${corrected.size}`)] : []),
  )
}

/* The numbers of the chosen nucleus, and in "Correct" the classes to choose from. */
function fillCard(card, tools) {
  const { outlines, chosen, classes, corrected } = tools
  const visible = Boolean(outlines) && tools.shown && chosen >= 0
  card.classList.toggle("hidden", !visible)
  if (!visible) return
  const grade = classes[chosen]
  const title = document.createElement("b")
  const swatch = document.createElement("i")
  swatch.style.background = grade === OUT ? GREY : outlines.spec.colours[grade]
  const called = grade === OUT ? "left out" : outlines.spec.classes[grade]
  title.append(swatch, `${outlines.spec.thing} ${chosen + 1}: ${called}${corrected.has(chosen) ? " (by eye)" : ""}`)
  const numbers = document.createElement("dl")
  for (const [name, value] of outlines.numbers(chosen)) {
    const pair = document.createElement("div")
    pair.append(Object.assign(document.createElement("dt"), { textContent: name }))
    pair.append(Object.assign(document.createElement("dd"), { textContent: value }))
    numbers.append(pair)
  }
  card.replaceChildren(title, numbers)
  if (tools.tool === "correct") card.append(classButtons(tools, grade))
}

function classButtons(tools, grade) {
  const { outlines, chosen, corrected } = tools
  const row = document.createElement("div")
  row.className = "classes"
  row.role = "group"
  row.setAttribute("aria-label", "Class by eye")
  const choices = outlines.spec.classes.map((title, to) => [title, to, String(to)])
  choices.push([`not a tumour ${outlines.spec.thing.toLowerCase()}`, -1, "X"])
  for (const [title, to, key] of choices) {
    const button = document.createElement("button")
    button.type = "button"
    button.title = `Key ${key}`
    button.dataset.grade = to
    const swatch = document.createElement("i")
    swatch.style.background = to < 0 ? GREY : outlines.spec.colours[to]
    button.append(swatch, title)
    button.setAttribute("aria-pressed", String(grade === (to < 0 ? OUT : to)))
    button.onclick = () => tools.correct(to)
    row.append(button)
  }
  if (corrected.has(chosen)) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "as measured" })
    button.onclick = () => tools.correct(null)
    row.append(button)
  }
  return row
}
