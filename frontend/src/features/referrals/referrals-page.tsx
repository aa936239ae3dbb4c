import { getRouteApi } from "@tanstack/react-router"
import { CircleCheck, CirclePause, Ellipsis } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { AdminReward, BroughtPerson } from "../../api/types"
import { Amount, Nothing } from "../../components/amount"
import { Button } from "../../components/button"
import { Chip } from "../../components/choice"
import { closed, type Open, opened } from "../../components/form-dialog"
import { SearchInput } from "../../components/input"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem } from "../../components/menu"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { State, type Tone } from "../../components/state"
import { useUrlText } from "../../components/url-text"
import { When } from "../../components/when"
import { type Decision, DecisionDialog } from "./decision-dialog"
import type { ReferralsSearch, RewardState } from "./search"

const route = getRouteApi("/console/admin/referrals")
const STATES: (RewardState | undefined)[] = [undefined, "pending", "released", "withheld", "taken_back"]
const TONES: Record<RewardState, Tone> = {
  pending: "half",
  released: "good",
  withheld: "off",
  taken_back: "bad",
}

function nameOf(person: BroughtPerson, reward: AdminReward): string {
  return reward.side === "referrer" ? person.referrer_name : person.invitee_name
}

/** A rule's code in words; an operator's own words as they are. */
function useNote(): (note: string) => string {
  const { t, i18n } = useTranslation("referrals")
  return (note) =>
    i18n.exists(`note.${note}`, { ns: "referrals" }) ? t(`note.${note}` as "note.suspect") : note
}

function RewardLines({ person }: { person: BroughtPerson }) {
  const { t } = useTranslation("referrals")
  const noteOf = useNote()
  if (person.rewards.length === 0) return <Nothing />
  return (
    <ul className="grid gap-1 py-2">
      {person.rewards.map((reward) => (
        <li
          key={reward.id}
          className="grid grid-cols-[minmax(0,1fr)] items-baseline gap-x-4 md:grid-cols-[minmax(88px,auto)_128px_112px_minmax(0,1fr)]"
        >
          <Amount quota={reward.amount} withSign />
          <span className="text-ink-2">{t(reward.is_share ? "share" : `side.${reward.side}`)}</span>
          <State tone={TONES[reward.state]}>{t(`states.${reward.state}`)}</State>
          {reward.note && <span className="text-12 text-ink-3 wrap-anywhere">{noteOf(reward.note)}</span>}
        </li>
      ))}
    </ul>
  )
}

function RowMenu({ person, onDecide }: { person: BroughtPerson; onDecide: (decision: Decision) => void }) {
  const { t } = useTranslation(["referrals", "admin"])
  const { rewards } = person
  if (rewards.length === 0) return null
  return (
    <Menu
      trigger={
        <Button
          look="ghost"
          size="sm"
          isIcon
          aria-label={t("admin:actionsFor", { name: person.invitee_name })}
        >
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      {rewards.map((reward) => {
        const whose = nameOf(person, reward)
        const act = reward.state === "withheld" || reward.state === "pending" ? "release" : "withhold"
        return (
          <MenuItem
            key={`${reward.id}-${act}`}
            icon={
              act === "release" ? (
                <CircleCheck className="i" aria-hidden="true" />
              ) : (
                <CirclePause className="i" aria-hidden="true" />
              )
            }
            onPress={() => onDecide({ reward, act, whose })}
          >
            {t(`${act}.item`, { whose })}
          </MenuItem>
        )
      })}
      {rewards
        .filter(({ state }) => state === "pending")
        .map((reward) => (
          <MenuItem
            key={`${reward.id}-withhold`}
            icon={<CirclePause className="i" aria-hidden="true" />}
            onPress={() => onDecide({ reward, act: "withhold", whose: nameOf(person, reward) })}
          >
            {t("withhold.item", { whose: nameOf(person, reward) })}
          </MenuItem>
        ))}
    </Menu>
  )
}

function useColumns(onDecide: (decision: Decision) => void): Column<BroughtPerson>[] {
  const { t } = useTranslation(["referrals", "common"])
  return [
    {
      id: "invitee",
      head: t("invitee"),
      cell: (row) => (
        <>
          <span className="name">{row.invitee_name}</span>
          <span className="sub">{row.invitee_email ?? t("gone")}</span>
        </>
      ),
    },
    {
      id: "referrer",
      head: t("referrer"),
      className: "wrap-anywhere max-md:hidden",
      cell: (row) => row.referrer_name,
    },
    {
      id: "when",
      head: t("joined"),
      className: "soft max-lg:hidden",
      cell: (row) => (
        <>
          <When at={row.joined_at} />
          <span className="sub mono">{row.network ?? ""}</span>
        </>
      ),
    },
    { id: "rewards", head: t("rewards"), cell: (row) => <RewardLines person={row} /> },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => <RowMenu person={row} onDecide={onDecide} />,
    },
  ]
}

/** Who brought whom, from where, what is given for it, and an operator's say in that. */
export default function ReferralsPage() {
  const { t } = useTranslation(["referrals", "admin"])
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (wanted: ReferralsSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const [text, setText] = useUrlText(search.q ?? "", (q) => change({ q: q || undefined }))
  const [decision, setDecision] = useState<Open<Decision>>(null)
  const { rows, error, retry, more } = usePages(["admin", "referrals", search], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/referrals", {
        params: { query: { ...pageQuery(cursor), ...search } },
        signal,
      }),
    ),
  )
  const isFiltered = search.q !== undefined || search.state !== undefined
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <SearchInput boxClass="md:w-[280px]!" label={t("search")} value={text} onValue={setText} />
        {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
        <div className="flex flex-wrap gap-2" role="group" aria-label={t("admin:state")}>
          {STATES.map((state) => (
            <Chip key={state ?? "all"} isOn={search.state === state} onPress={() => change({ state })}>
              {state ? t(`states.${state}`) : t("admin:all")}
            </Chip>
          ))}
        </div>
      </div>
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={useColumns((wanted) => setDecision(opened(wanted)))}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{isFiltered ? t("admin:noneFound") : t("empty")}</b>
            <p>{isFiltered ? t("admin:noneFoundText") : t("emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      {decision && (
        <DecisionDialog
          key={decision.thing.reward.id}
          decision={decision.thing}
          isOpen={decision.isOpen}
          onClose={() => setDecision(closed)}
          onGone={() => setDecision(null)}
        />
      )}
    </>
  )
}
