import { useTranslation } from "react-i18next"
import { RATES, type RateTexts, rateOf } from "../format/rate-limits"
import { Field } from "./field"
import { Input } from "./input"

/** Limits of requests, tokens and calls at once. `isSent`: what is wrong may be said. */
export function RateLimitFields({
  texts,
  onChange,
  isSent,
  help,
}: {
  texts: RateTexts
  onChange: (texts: RateTexts) => void
  isSent: boolean
  help?: string
}) {
  const { t } = useTranslation("common")
  return (
    <fieldset className="grid gap-2">
      <legend className="legend mb-1">{t("rateLimits.title")}</legend>
      <div className="grid gap-4 sm:grid-cols-3">
        {RATES.map((name) => (
          <Field
            key={name}
            label={t(`rateLimits.${name}`)}
            error={isSent && rateOf(texts[name]) === undefined ? t("rateLimits.bad") : null}
          >
            {(ids) => (
              <Input
                {...ids}
                className="num"
                inputMode="numeric"
                placeholder={t("rateLimits.none")}
                value={texts[name]}
                onChange={(event) => onChange({ ...texts, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      {help && <p className="help">{help}</p>}
    </fieldset>
  )
}
