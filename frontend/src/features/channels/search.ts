import type { Channel } from "../../api/types"

export type ChannelsSearch = { q?: string; show?: "look" | "off"; provider?: string; group?: string }

export function readChannelsSearch(search: Record<string, unknown>): ChannelsSearch {
  const { show } = search
  const text = (name: "q" | "provider" | "group") => {
    const value = search[name]
    return value !== undefined && value !== "" && { [name]: String(value) }
  }
  return {
    ...text("q"),
    ...((show === "look" || show === "off") && { show }),
    ...text("provider"),
    ...text("group"),
  }
}

/** Whether a channel is among those asked for. Words are looked for in its name, provider, address and models. */
export function fits(channel: Channel, { q, show, provider, group }: ChannelsSearch): boolean {
  if (show === "look" && channel.concerns.length === 0) return false
  if (show === "off" && channel.enabled) return false
  if (provider !== undefined && channel.provider !== provider) return false
  if (group !== undefined && !channel.groups.includes(group)) return false
  const text = [channel.name, channel.provider, channel.base_url, ...Object.entries(channel.models).flat()]
  const all = text.join("\n").toLowerCase()
  return (q ?? "")
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}
