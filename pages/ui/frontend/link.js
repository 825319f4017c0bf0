/* Hands what changed about a measurement to the viewer of the same picture, past its large packet. Shows nothing. */
export default function ({ data }) {
  if (!data) return undefined
  const live = (window.ihcLive ??= new Map())
  live.set(data.id, data)
  window.dispatchEvent(new CustomEvent("ihc-live", { detail: data.id }))
  return () => {
    live.delete(data.id)
    window.dispatchEvent(new CustomEvent("ihc-live", { detail: data.id }))
  }
}
