import { useTranslation } from "react-i18next"
import { Segmented } from "../../components/choice"
import { Field } from "../../components/field"
import { Input, TextArea } from "../../components/input"
import type { Form, Problems, SourceFacts, Way } from "./draft"

/** Where the list comes from: an address that the server asks, a file, or what was pasted. */
export function Origin({
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
