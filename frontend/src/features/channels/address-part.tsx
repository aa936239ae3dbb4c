import { ExternalLink } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Provider } from "../../api/types"
import { Coded } from "../../components/coded"
import { Field } from "../../components/field"
import { Input, Select } from "../../components/input"
import type { Language } from "../../i18n"
import type { Fields, Mistake } from "./fields"
import { Part } from "./part"

export type PartProps = {
  fields: Fields
  set: (part: Partial<Fields>) => void
  wrong: Mistake[]
}

/** Who is called, and where. Choosing a provider fills in its address, unless another one was typed. */
export function AddressPart({
  fields,
  set,
  wrong,
  providers,
  isNew,
}: PartProps & { providers: Provider[]; isNew: boolean }) {
  const { t, i18n } = useTranslation("channels")
  const provider = providers.find(({ name }) => name === fields.provider)
  const notes = provider?.notes[i18n.language as Language]
  const choose = (name: string) => {
    const chosen = providers.find((one) => one.name === name)
    const isOurs = fields.baseUrl === "" || providers.some(({ base_url }) => base_url === fields.baseUrl)
    set({ provider: name, ...(isOurs && { baseUrl: chosen?.base_url ?? "" }) })
  }
  return (
    <Part title={t("address.title")} text={notes && <Coded text={notes} />}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={t("address.provider")}
          help={
            provider?.docs && (
              <a
                href={provider.docs}
                target="_blank"
                rel="noreferrer"
                className="inline-flex items-center gap-1"
              >
                {t("address.docs")}
                <ExternalLink className="i i-sm" aria-hidden="true" />
              </a>
            )
          }
        >
          {(ids) => (
            <Select {...ids} value={fields.provider} onChange={(event) => choose(event.target.value)}>
              {!provider && <option value={fields.provider}>{fields.provider}</option>}
              {providers.map(({ name, label }) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          label={t("address.name")}
          help={t("address.nameHelp")}
          error={wrong.includes("name") ? t("address.nameMissing") : null}
        >
          {(ids) => (
            <Input
              {...ids}
              autoFocus={isNew}
              maxLength={120}
              value={fields.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
      </div>
      {provider?.needs_address === false ? (
        <p className="help">{t("address.noAddress")}</p>
      ) : (
        <Field
          label={t("address.baseUrl")}
          help={t("address.baseUrlHelp")}
          error={wrong.includes("baseUrl") ? t("address.baseUrlBad") : null}
        >
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              inputMode="url"
              spellCheck={false}
              placeholder={provider?.base_url || provider?.base_url_hint || "https://…/v1"}
              value={fields.baseUrl}
              onChange={(event) => set({ baseUrl: event.target.value })}
            />
          )}
        </Field>
      )}
      {(fields.provider.startsWith("azure") || fields.apiVersion !== "") && (
        <Field
          label={t("address.apiVersion")}
          help={t("address.apiVersionHelp")}
          className="sm:w-1/2 sm:pr-2"
        >
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              maxLength={40}
              value={fields.apiVersion}
              onChange={(event) => set({ apiVersion: event.target.value })}
            />
          )}
        </Field>
      )}
    </Part>
  )
}
