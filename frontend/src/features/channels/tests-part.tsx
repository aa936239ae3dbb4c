import { Stethoscope } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Channel } from "../../api/types"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { closed, type Open, opened } from "../../components/form-dialog"
import { Select } from "../../components/input"
import type { PartProps } from "./address-part"
import { servedNames } from "./fields"
import { FigureField } from "./figure-field"
import { Part } from "./part"
import { TestDialog } from "./test-dialog"

/** With what the channel is tested, how often by itself, and now. */
export function TestsPart({
  fields,
  set,
  wrong,
  channel,
  isDirty,
  onTested,
}: PartProps & { channel: Channel | null; isDirty: boolean; onTested: () => void }) {
  const { t } = useTranslation("channels")
  const [tested, setTested] = useState<Open<Channel>>(null)
  const names = servedNames(fields)
  return (
    <Part title={t("tests.title")} text={t("tests.text")}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("tests.model")}>
          {(ids) => (
            <Select
              {...ids}
              value={names.includes(fields.testModel) ? fields.testModel : ""}
              onChange={(event) => set({ testModel: event.target.value })}
            >
              <option value="">{t("tests.first")}</option>
              {[...new Set(names)].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
          )}
        </Field>
        <FigureField
          label={t("tests.minutes")}
          help={t("tests.minutesHelp")}
          unit={t("tests.minutesUnit")}
          error={wrong.includes("probeMinutes") ? t("routing.figureBad") : null}
          value={fields.probeMinutes}
          onValue={(probeMinutes) => set({ probeMinutes })}
        />
      </div>
      {channel && (
        <div className="flex flex-wrap items-center gap-3">
          <Button onClick={() => setTested(opened(channel))}>
            <Stethoscope className="i" aria-hidden="true" />
            {t("tests.run")}
          </Button>
          {isDirty && <span className="help">{t("tests.saveFirst")}</span>}
        </div>
      )}
      {tested && (
        <TestDialog
          isOpen={tested.isOpen}
          channel={tested.thing}
          onClose={() => setTested(closed)}
          onGone={() => {
            setTested(null)
            onTested()
          }}
        />
      )}
    </Part>
  )
}
