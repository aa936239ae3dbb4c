import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { channelsQuery } from "../../api/operator-queries"
import type { PriceImport } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select } from "../../components/input"
import { Note } from "../../components/note"
import { parsePercent } from "../../format/part"
import { countText } from "../../format/quota"
import { draftOf, type Form, type Problems, type Source } from "./draft"
import { Origin } from "./origin"

const FACTOR = /^\d{1,20}(\.\d{1,20})?$/

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
