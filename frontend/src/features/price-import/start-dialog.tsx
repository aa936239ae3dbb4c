import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { channelsQuery } from "../../api/operator-queries"
import type { PriceImport, PriceImportDraft, PriceSources } from "../../api/types"
import { Segmented } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select, TextArea } from "../../components/input"
import { Note } from "../../components/note"
import { parsePercent } from "../../format/part"
import { countText } from "../../format/quota"

type Source = PriceImportDraft["source"]
type Way = "url" | "file" | "paste"
type SourceFacts = PriceSources["items"][number]

type Form = {
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

const FACTOR = /^\d{1,20}(\.\d{1,20})?$/

/** Where the list comes from: an address that the server asks, a file, or what was pasted. */
function Origin({
  form,
  facts,
  problems,
  onChange,
}: {
  form: Form
  facts: SourceFacts
  problems: Problems
  onChange: (change: Partial<Form>) => void
}) {
  const { t } = useTranslation("price-imports")
  return (
    <>
      <Segmented<Way>
        label={t("way")}
        isSmall
        value={form.way}
        options={(["url", "file", "paste"] as const).map((value) => ({ value, label: t(`ways.${value}`) }))}
        onValue={(way) => onChange({ way })}
      />
      {form.way === "url" && (
        <Field label={t("url")} help={t("urlHelp")} error={problems.origin}>
          {(ids) => (
            <Input
              {...ids}
              type="url"
              placeholder={facts.url ?? "https://example.com/api/pricing"}
              value={form.url ?? facts.url ?? ""}
              onChange={(event) => onChange({ url: event.target.value })}
            />
          )}
        </Field>
      )}
      {form.way === "file" && (
        <Field label={t("file")} help={t("fileHelp")} error={problems.origin}>
          {(ids) => (
            <Input
              {...ids}
              type="file"
              accept=".json,application/json"
              onChange={(event) => onChange({ file: event.target.files?.[0] ?? null })}
            />
          )}
        </Field>
      )}
      {form.way === "paste" && (
        <Field label={t("pasted")} error={problems.origin}>
          {(ids) => (
            <TextArea
              {...ids}
              className="mono"
              rows={5}
              spellCheck={false}
              value={form.pasted}
              onChange={(event) => onChange({ pasted: event.target.value })}
            />
          )}
        </Field>
      )}
    </>
  )
}

type Problems = { origin?: string; factor?: string; markup?: string }

async function draftOf(form: Form, facts: SourceFacts, markup: number): Promise<PriceImportDraft> {
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

/** Reads a list. No price changes by it: what it proposes is shown next, line by line. */
export function StartDialog({
  isOpen,
  channelId,
  onClose,
  onRead,
}: {
  isOpen: boolean
  channelId?: string
  onClose: () => void
  onRead: (made: PriceImport) => Promise<unknown>
}) {
  const { t } = useTranslation("price-imports")
  const { data: sources } = useQuery({
    queryKey: ["admin", "price-sources"],
    queryFn: ({ signal }) => body(api().GET("/api/v1/admin/price-imports/sources", { signal })),
    enabled: isOpen,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const { data: channels } = useQuery({ ...channelsQuery, enabled: isOpen })
  const [form, setForm] = useState<Form>({
    source: "shipped",
    way: "url",
    file: null,
    pasted: "",
    factor: "",
    markup: "",
    group: "",
    channel: channelId ?? "",
  })
  const [problems, setProblems] = useState<Problems>({})
  const change = (part: Partial<Form>) => setForm((before) => ({ ...before, ...part }))
  const facts = sources?.items.find(({ source }) => source === form.source)
  const isSame = facts?.currency === sources?.ledger_currency
  const submit = () => {
    if (!facts) return null
    const markup = form.markup.trim() ? parsePercent(form.markup) : 0
    const hasOrigin =
      form.source === "shipped" ||
      (form.way === "url" ? (form.url ?? facts.url) : form.way === "file" ? form.file : form.pasted.trim())
    const factor = form.factor.trim()
    const found: Problems = {
      ...(!hasOrigin && { origin: t("originMissing") }),
      ...((factor ? !FACTOR.test(factor) : !isSame) && { factor: t("factorBad") }),
      ...(markup === null && { markup: t("markupBad") }),
    }
    setProblems(found)
    if (Object.keys(found).length > 0 || markup === null) return null
    return draftOf(form, facts, markup)
      .then((draft) =>
        body(
          api().POST("/api/v1/admin/price-imports", {
            body: draft,
            headers: { "Idempotency-Key": onceOnly() },
          }),
        ),
      )
      .then(onRead)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("startTitle")}
      text={t("startText")}
      action={t("read")}
      onSubmit={submit}
    >
      <Field label={t("list")}>
        {(ids) => (
          <Select
            {...ids}
            value={form.source}
            onChange={(event) => change({ source: event.target.value as Source, url: undefined })}
          >
            {(["shipped", "litellm", "models_dev", "pricing_page"] as const).map((source) => (
              <option key={source} value={source}>
                {t(`source.${source}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {facts && form.source === "shipped" && (
        <Note>
          {t("shippedFacts", {
            title: facts.title,
            version: facts.version,
            date: facts.date,
            licence: facts.licence,
            models: countText(facts.models ?? 0),
          })}
        </Note>
      )}
      {facts && form.source !== "shipped" && (
        <Origin form={form} facts={facts} problems={problems} onChange={change} />
      )}
      {form.source === "pricing_page" && (
        <Field label={t("group")} help={t("groupHelp")}>
          {(ids) => (
            <Input {...ids} value={form.group} onChange={(event) => change({ group: event.target.value })} />
          )}
        </Field>
      )}
      <Field label={t("for")} help={form.channel ? t("forCostsHelp") : t("forPricesHelp")}>
        {(ids) => (
          <Select {...ids} value={form.channel} onChange={(event) => change({ channel: event.target.value })}>
            <option value="">{t("pricesOfModels")}</option>
            {channels?.map((channel) => (
              <option key={channel.id} value={channel.id}>
                {t("costsOf", { name: channel.name })}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={
            facts?.currency
              ? t("factorOf", { currency: facts.currency, ledger: sources?.ledger_currency })
              : t("factorOfSite", { ledger: sources?.ledger_currency ?? "" })
          }
          help={isSame ? t("factorSame") : t("factorHelp")}
          error={problems.factor}
        >
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="decimal"
              placeholder={isSame ? "1" : undefined}
              before={<span className="affix">×</span>}
              value={form.factor}
              onChange={(event) => change({ factor: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("markup")} help={t("markupHelp")} error={problems.markup}>
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="decimal"
              placeholder="0"
              after={<span className="affix">%</span>}
              value={form.markup}
              onChange={(event) => change({ markup: event.target.value })}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  )
}
