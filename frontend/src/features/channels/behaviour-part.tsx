import { useTranslation } from "react-i18next"
import type { Channel } from "../../api/types"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { Input, Select } from "../../components/input"
import type { PartProps } from "./address-part"
import { FigureField } from "./figure-field"
import { Part } from "./part"

const TIMES = ["connect", "firstByte", "idle", "total"] as const

function ProxyField({ fields, set, wrong, channel }: PartProps & { channel: Channel | null }) {
  const { t } = useTranslation("channels")
  const there = channel?.proxy ?? null
  const help = !there
    ? t("more.proxyHelp")
    : fields.keepsProxy
      ? t("more.proxyKept", { proxy: there })
      : t("more.proxyDropped")
  return (
    <div className="flex items-start gap-2">
      <Field
        className="min-w-0 flex-1"
        label={t("more.proxy")}
        help={help}
        error={wrong.includes("proxy") ? t("address.baseUrlBad") : null}
      >
        {(ids) => (
          <Input
            {...ids}
            className="mono"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            value={fields.proxy}
            onChange={(event) => set({ proxy: event.target.value })}
          />
        )}
      </Field>
      {there && fields.proxy.trim() === "" && (
        <Button className="mt-[26px]" onClick={() => set({ keepsProxy: !fields.keepsProxy })}>
          {t(fields.keepsProxy ? "more.proxyDrop" : "more.proxyKeep")}
        </Button>
      )}
    </div>
  )
}

/** How this upstream differs from the rule: how long to wait, what to do when a client leaves, and by which way. */
export function BehaviourPart(props: PartProps & { channel: Channel | null }) {
  const { fields, set, wrong } = props
  const { t } = useTranslation("channels")
  return (
    <Part title={t("more.title")}>
      <fieldset className="grid gap-2">
        <legend className="legend mb-1.5">{t("more.time")}</legend>
        <span className="help">{t("more.timeHelp")}</span>
        <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
          {TIMES.map((time) => (
            <FigureField
              key={time}
              label={t(`more.${time}`)}
              error={wrong.includes(time) ? t("routing.figureBad") : null}
              value={fields[time]}
              onValue={(value) => set({ [time]: value })}
            />
          ))}
        </div>
      </fieldset>
      <Field label={t("more.leaving")}>
        {(ids) => (
          <Select
            {...ids}
            value={fields.onDisconnect}
            onChange={(event) => set({ onDisconnect: event.target.value as "drain" | "cancel" })}
          >
            <option value="drain">{t("more.drain")}</option>
            <option value="cancel">{t("more.cancel")}</option>
          </Select>
        )}
      </Field>
      <ProxyField {...props} />
      <div className="grid gap-3">
        <Check isOn={fields.includeUsage} onChange={(includeUsage) => set({ includeUsage })}>
          {t("more.usage")}
          <span className="help block">{t("more.usageHelp")}</span>
        </Check>
        <Check isOn={fields.rewriteModel} onChange={(rewriteModel) => set({ rewriteModel })}>
          {t("more.rewrite")}
          <span className="help block">{t("more.rewriteHelp")}</span>
        </Check>
        <Check isOn={fields.uncountedTools} onChange={(uncountedTools) => set({ uncountedTools })}>
          {t("more.tools")}
          <span className="help block">{t("more.toolsHelp")}</span>
        </Check>
      </div>
    </Part>
  )
}
