import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { modelsQuery } from "../../api/operator-queries"
import type { Group, GroupChanges } from "../../api/types"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, TextArea } from "../../components/input"
import { PickMany } from "../../components/pick-many"
import { RateLimitFields } from "../../components/rate-limit-fields"
import { multiplierText } from "../../format/quota"
import { rateLimitsOf, rateTexts } from "../../format/rate-limits"
import { parseMultiplier } from "./multiplier"

export function GroupForm({
  isOpen,
  edited,
  groups,
  onClose,
  onGone,
  onSubmit,
}: {
  isOpen: boolean
  edited: Group | null
  groups: string[]
  onClose: () => void
  onGone: () => void
  onSubmit: (name: string, changes: GroupChanges) => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const models = useQuery(modelsQuery)
  const [name, setName] = useState(edited?.name ?? "")
  const [label, setLabel] = useState(edited?.label ?? "")
  const [multiplier, setMultiplier] = useState(
    edited ? multiplierText(edited.multiplier_micros).slice(1) : "1",
  )
  const [isPublic, setPublic] = useState(edited?.is_public ?? false)
  const [usableBy, setUsableBy] = useState(edited?.usable_by ?? [])
  const [members, setMembers] = useState((edited?.members ?? []).join("\n"))
  const [chosen, setChosen] = useState(edited?.models ?? [])
  const [rates, setRates] = useState(rateTexts(edited?.rate_limits))
  const [wasSent, setSent] = useState(false)
  const micros = parseMultiplier(multiplier)
  const submit = () => {
    setSent(true)
    const limits = rateLimitsOf(rates)
    if (!name.trim() || micros === null || limits === undefined) return null
    return onSubmit(name.trim(), {
      label: label.trim(),
      multiplier_micros: micros,
      is_public: isPublic,
      usable_by: usableBy,
      members: members.split(/[\s,;]+/).filter(Boolean),
      models: chosen.length > 0 ? chosen : null,
      rate_limits: limits,
    })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={edited ? t("editTitle", { name: edited.name }) : t("groups.new")}
      text={t("groups.newText")}
      action={edited ? t("save") : t("groups.create")}
      onSubmit={submit}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("groups.name")} error={wasSent && !name.trim() ? t("nameMissing") : null}>
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              autoFocus={!edited}
              disabled={edited !== null}
              maxLength={64}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={t("groups.label")} help={t("groups.labelHelp")}>
          {(ids) => (
            <Input
              {...ids}
              maxLength={120}
              value={label}
              onChange={(event) => setLabel(event.target.value)}
            />
          )}
        </Field>
        <Field
          label={t("groups.multiplier")}
          help={t("groups.multiplierHelp")}
          error={wasSent && micros === null ? t("groups.multiplierBad") : null}
        >
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="decimal"
              before={<span className="affix">×</span>}
              value={multiplier}
              onChange={(event) => setMultiplier(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Check isOn={isPublic} onChange={setPublic}>
        {t("groups.public")}
        <span className="help block">{t("groups.publicHelp")}</span>
      </Check>
      <PickMany
        label={t("groups.usableBy")}
        help={t("groups.usableByHelp")}
        options={groups.filter((other) => other !== name)}
        chosen={usableBy}
        onChange={setUsableBy}
      />
      <PickMany
        label={t("groups.models")}
        help={t("groups.modelsHelp")}
        options={models.data?.map(({ model }) => model) ?? []}
        chosen={chosen}
        onChange={setChosen}
      />
      <Field label={t("groups.members")} help={t("groups.membersHelp")}>
        {(ids) => (
          <TextArea
            {...ids}
            className="mono"
            rows={2}
            spellCheck={false}
            value={members}
            onChange={(event) => setMembers(event.target.value)}
          />
        )}
      </Field>
      <RateLimitFields texts={rates} onChange={setRates} isSent={wasSent} help={t("groups.limitsHelp")} />
    </FormDialog>
  )
}
