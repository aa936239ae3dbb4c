import type { ChannelCost } from "../../api/types"

/** A model that the channel serves, with what it costs now and from when on something else holds. */
export type Line = { model: string; upstream: string; cost: ChannelCost | null; next: ChannelCost | null }
