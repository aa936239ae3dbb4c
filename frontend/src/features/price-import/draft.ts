import type { PriceImportDraft, PriceSources } from "../../api/types"

export type Source = PriceImportDraft["source"]
export type Way = "url" | "file" | "paste"
export type SourceFacts = PriceSources["items"][number]

/** What stands in the dialog. */
export type Form = {
  source: Source
  way: Way
  /** Undefined until it was typed: the list's own address stands there. */
  url?: string
  file: File | null
  pasted: string
  factor: string
  markup: string
  group: string
  channel: string
}

export type Problems = { origin?: string; factor?: string; markup?: string }

/** The same as the API takes it; a chosen file is read. */
export async function draftOf(form: Form, facts: SourceFacts, markup: number): Promise<PriceImportDraft> {
  const from =
    form.source === "shipped"
      ? {}
      : form.way === "url"
        ? { url: (form.url ?? facts.url ?? "").trim() }
        : form.way === "file"
          ? { content: (await form.file?.text()) ?? "", file_name: form.file?.name.slice(0, 200) }
          : { content: form.pasted }
  return {
    source: form.source,
    ...from,
    ...(form.factor.trim() && { factor: form.factor.trim() }),
    ...(form.source === "pricing_page" && form.group.trim() && { group: form.group.trim() }),
    ...(form.channel && { channel_id: form.channel }),
    markup_micros: markup,
  }
}
