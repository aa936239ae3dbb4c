import { keepPreviousData, useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi, Link } from "@tanstack/react-router"
import { Plus } from "lucide-react"
import { useMemo } from "react"
import { useTranslation } from "react-i18next"
import { keysQuery, walletQuery } from "../../api/queries"
import { hasFollowed } from "../../components/followed"
import { useTitle } from "../../components/page"
import { useNow } from "../../components/when"
import "./dashboard.css"
import { dayCosts, LONGEST } from "./days"
import { Money } from "./money"
import { daysQuery, sharesQuery } from "./queries"
import { runwayOf } from "./runway"
import { RunwayChart } from "./runway-chart"
import { DEFAULT_RANGE, type Range } from "./search"
import { ShareTable } from "./share-table"
import { RunwaySkeleton, TilesSkeleton } from "./skeleton"
import { Spend } from "./spend"
import { Start } from "./start"
import { Tiles } from "./tiles"

const route = getRouteApi("/console/")
const FEW_KEYS = 5

function Shares({ days, now }: { days: Range; now: number }) {
  const { t } = useTranslation("dashboard")
  const models = useQuery({ ...sharesQuery("model", now, days), placeholderData: keepPreviousData })
  const byKey = useQuery({ ...sharesQuery("key", now, days), placeholderData: keepPreviousData })
  const { data: keys } = useQuery(keysQuery)
  const span = `${days}d` as const
  const keyOf = (id: string) => keys?.items.find((key) => key.id === id)
  return (
    <div className="duo">
      <ShareTable
        title={t("share.models")}
        head={t("share.model")}
        link={
          <Link className="text-12" to="/console/usage" search={{ span }}>
            {t("share.usage")}
          </Link>
        }
        data={models.data}
        days={days}
        error={models.error}
        onRetry={() => void models.refetch()}
        nameOf={(model) => (
          <Link className="row-link mono" to="/console/usage" search={{ span, model }}>
            {model}
          </Link>
        )}
      />
      <ShareTable
        title={t("share.keys")}
        head={t("share.key")}
        link={
          <Link className="text-12" to="/console/keys">
            {t("share.allKeys")}
          </Link>
        }
        data={byKey.data}
        days={days}
        error={byKey.error}
        onRetry={() => void byKey.refetch()}
        nameOf={(id) => (
          <Link className="row-link" to="/console/usage" search={{ span, key: id }}>
            {keyOf(id)?.name ?? t("share.gone", { id: id.slice(0, 8) })}{" "}
            <span className="mono text-ink-3 max-md:hidden">{keyOf(id) && `${keyOf(id)?.prefix}…`}</span>
          </Link>
        )}
        hint={
          keys &&
          keys.items.length < FEW_KEYS && (
            <span>
              <Plus className="i i-sm" aria-hidden="true" />
              <span>
                {t("share.hint")}{" "}
                <Link to="/console/keys" search={{ new: true }}>
                  {t("share.newKey")}
                </Link>
              </span>
            </span>
          )
        }
      />
    </div>
  )
}

export default function DashboardPage() {
  const { t } = useTranslation(["dashboard", "common"])
  useTitle(t("common:nav.dashboard"))
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const now = useNow()
  const { data: wallet } = useSuspenseQuery(walletQuery)
  const { data: keys } = useQuery(keysQuery)
  const { data: summary, error, refetch } = useQuery({ ...daysQuery(now), placeholderData: keepPreviousData })
  const days = useMemo(() => summary && dayCosts(summary.items, now, LONGEST), [summary, now])
  const range = search.days ?? DEFAULT_RANGE
  const { data: models } = useQuery(sharesQuery("model", now, range))
  const hasCalled = (days ?? []).some(({ requests }) => requests > 0n)
  const favourite = models && [...models.items].sort((a, b) => b.requests - a.requests)[0]?.key
  const start = keys && days && (
    <Start facts={{ wallet, keys: keys.items, hasCalled, hasFollowed: hasFollowed() }} model={favourite} />
  )
  return (
    <>
      <h1 className="sr-only">{t("common:nav.dashboard")}</h1>
      <div className="dash-top">
        <Money wallet={wallet} />
        {days ? (
          <RunwayChart runway={runwayOf(BigInt(wallet.balance), days)} now={now} />
        ) : (
          !error && <RunwaySkeleton />
        )}
      </div>
      {!days && !error && <TilesSkeleton />}
      {days && !hasCalled && start}
      {days && hasCalled && <Tiles days={days} items={summary?.items ?? []} now={now} />}
      <Spend
        days={days?.slice(-range)}
        now={now}
        error={error}
        onRetry={() => void refetch()}
        search={search}
        onChange={(change) =>
          void navigate({
            search: (before) => {
              const { days: wanted, view } = { ...before, ...change }
              return { ...(wanted && wanted !== DEFAULT_RANGE && { days: wanted }), ...(view && { view }) }
            },
            replace: true,
            resetScroll: false,
          })
        }
      />
      {hasCalled && <Shares days={range} now={now} />}
      {hasCalled && start}
    </>
  )
}
