import { useQuery } from "@tanstack/react-query"
import { getRouteApi, Link } from "@tanstack/react-router"
import { Plus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { channelsQuery, providersQuery } from "../../api/operator-queries"
import type { Channel } from "../../api/types"
import { ButtonLink } from "../../components/button"
import { Chip } from "../../components/choice"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { SearchInput, Select } from "../../components/input"
import { LedgerTable } from "../../components/ledger-table"
import { PageHead } from "../../components/page"
import { useUrlText } from "../../components/url-text"
import { useChannelActs } from "./channel-acts"
import { useChannelColumns } from "./channel-columns"
import { type ChannelsSearch, fits } from "./search"
import { TestDialog } from "./test-dialog"

const route = getRouteApi("/console/admin/channels")
const SHOWN = [undefined, "look", "off"] as const

function Filters({ channels }: { channels: Channel[] }) {
  const { t } = useTranslation("channels")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { data: providers } = useQuery(providersQuery)
  const change = (wanted: ChannelsSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const [text, setText] = useUrlText(search.q ?? "", (q) => change({ q: q || undefined }))
  const labelOf = (name: string) => providers?.find((one) => one.name === name)?.label ?? name
  const used = [...new Set(channels.map(({ provider }) => provider))].sort()
  const groups = [...new Set(channels.flatMap((channel) => channel.groups))].sort()
  return (
    <div className="mb-4 flex flex-wrap items-center gap-3">
      <SearchInput boxClass="md:w-[280px]!" label={t("search")} value={text} onValue={setText} />
      <Select
        boxClass="md:w-auto! max-md:w-[calc(50%-6px)]!"
        aria-label={t("provider")}
        value={search.provider ?? ""}
        onChange={(event) => change({ provider: event.target.value || undefined })}
      >
        <option value="">{t("anyProvider")}</option>
        {used.map((name) => (
          <option key={name} value={name}>
            {labelOf(name)}
          </option>
        ))}
      </Select>
      <Select
        boxClass="md:w-auto! max-md:w-[calc(50%-6px)]!"
        aria-label={t("group")}
        value={search.group ?? ""}
        onChange={(event) => change({ group: event.target.value || undefined })}
      >
        <option value="">{t("anyGroup")}</option>
        {groups.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
      <div className="flex flex-wrap gap-2" role="group" aria-label={t("show")}>
        {SHOWN.map((show) => (
          <Chip key={show ?? "all"} isOn={search.show === show} onPress={() => change({ show })}>
            {t(`shown.${show ?? "all"}`)}{" "}
            <span className="fig">{channels.filter((channel) => fits(channel, { show })).length}</span>
          </Chip>
        ))}
      </div>
    </div>
  )
}

function Empty({ isFiltered }: { isFiltered: boolean }) {
  const { t } = useTranslation("channels")
  if (isFiltered)
    return (
      <>
        <b>{t("noneFound")}</b>
        <p>{t("noneFoundText")}</p>
        <Link className="mt-2" to="/console/admin/channels">
          {t("clear")}
        </Link>
      </>
    )
  return (
    <>
      <b>{t("empty")}</b>
      <p>{t("emptyText")}</p>
      <ButtonLink className="mt-2" look="primary" to="/console/admin/channels/new">
        {t("emptyAction")}
      </ButtonLink>
    </>
  )
}

export default function ChannelsPage() {
  const { t } = useTranslation("channels")
  const search = route.useSearch()
  const [doomed, setDoomed] = useState<Open<Channel>>(null)
  const [tested, setTested] = useState<Open<Channel>>(null)
  const { turn, remove, refresh } = useChannelActs()
  const { data, error, refetch } = useQuery(channelsQuery)
  const columns = useChannelColumns({
    onTest: (channel) => setTested(opened(channel)),
    onDelete: (channel) => setDoomed(opened(channel)),
    onSwitch: (channel, enabled) => void turn(channel, enabled),
  })
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <ButtonLink look="primary" to="/console/admin/channels/new">
          <Plus className="i" aria-hidden="true" />
          {t("new")}
        </ButtonLink>
      </PageHead>
      {data && data.length > 0 && <Filters channels={data} />}
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={data?.filter((channel) => fits(channel, search))}
        keyOf={(row) => row.id}
        error={error}
        onRetry={() => void refetch()}
        empty={<Empty isFiltered={data !== undefined && data.length > 0} />}
      />
      {tested && (
        <TestDialog
          isOpen={tested.isOpen}
          channel={tested.thing}
          onClose={() => setTested(closed)}
          onGone={() => {
            setTested(null)
            void refresh()
          }}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle", { name: doomed.thing.name })}
          text={t("deleteText")}
          action={t("deleteAction", { name: doomed.thing.name })}
          onConfirm={() => remove(doomed.thing)}
        />
      )}
    </>
  )
}
