import { useQuery } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { groupsQuery } from "../../api/operator-queries"
import { PickMany } from "../../components/pick-many"
import type { PartProps } from "./address-part"
import { FigureField } from "./figure-field"
import { Part } from "./part"

const CAPS = ["requests", "tokens", "concurrency"] as const

/** Whose calls go there, in what order, and how many at most. */
export function RoutingPart({ fields, set, wrong }: PartProps) {
  const { t } = useTranslation("channels")
  const groups = useQuery(groupsQuery)
  return (
    <Part title={t("routing.title")} text={t("routing.text")}>
      <PickMany
        label={t("groups")}
        help={t("routing.groupsHelp")}
        options={groups.data?.map(({ name }) => name) ?? []}
        chosen={fields.groups}
        onChange={(names) => set({ groups: names })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <FigureField
          label={t("routing.priority")}
          help={t("routing.priorityHelp")}
          error={wrong.includes("priority") ? t("routing.wholeNumber") : null}
          value={fields.priority}
          onValue={(priority) => set({ priority })}
        />
        <FigureField
          label={t("routing.weight")}
          help={t("routing.weightHelp")}
          error={wrong.includes("weight") ? t("routing.wholeNumber") : null}
          value={fields.weight}
          onValue={(weight) => set({ weight })}
        />
      </div>
      <fieldset className="grid gap-2">
        <legend className="legend mb-1.5">{t("routing.caps")}</legend>
        <span className="help">{t("routing.capsHelp")}</span>
        <div className="grid gap-4 sm:grid-cols-3">
          {CAPS.map((cap) => (
            <FigureField
              key={cap}
              label={t(`routing.${cap}`)}
              error={wrong.includes(cap) ? t("routing.figureBad") : null}
              value={fields[cap]}
              onValue={(value) => set({ [cap]: value })}
            />
          ))}
        </div>
      </fieldset>
    </Part>
  )
}
