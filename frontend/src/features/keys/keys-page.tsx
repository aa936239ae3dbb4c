import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { Plus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { keysQuery, meQuery, pricingQuery } from "../../api/queries"
import { apiOrigin } from "../../api/runtime"
import type { Key } from "../../api/types"
import { Button } from "../../components/button"
import { Chip } from "../../components/choice"
import { CodeBlock } from "../../components/code"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { SearchInput } from "../../components/input"
import { PageHead } from "../../components/page"
import { useUrlText } from "../../components/url-text"
import { useNow } from "../../components/when"
import { HandOverDialog } from "./hand-over"
import { CreateKey, EditKey, useKeyActs } from "./key-acts"
import { chipOf, keyState } from "./key-state"
import { KeyTable } from "./key-table"
import { RotateKey } from "./rotate"
import "./keys.css"
import type { KeysSearch } from "./search"
import { firstCall } from "./secret-dialog"

const route = getRouteApi("/console/keys")
const CHIPS = [
  { state: undefined, label: "all" },
  { state: "active", label: "active" },
  { state: "limit", label: "atLimit" },
  { state: "off", label: "off" },
] as const

function matching(keys: Key[], search: KeysSearch, now: number): Key[] {
  const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean)
  return keys.filter(
    (key) =>
      (!search.state || chipOf(keyState(key, now)) === search.state) &&
      words.every((word) => `${key.name} ${key.prefix}`.toLowerCase().includes(word)),
  )
}

function Tools({
  keys,
  search,
  onChange,
}: {
  keys: Key[] | undefined
  search: KeysSearch
  onChange: (change: KeysSearch) => void
}) {
  const { t } = useTranslation("keys")
  const now = useNow()
  const [text, setText] = useUrlText(search.q ?? "", (q) => onChange({ q: q || undefined }))
  return (
    <div className="mb-4 flex flex-wrap items-center gap-3">
      <SearchInput boxClass="md:w-[280px]!" label={t("search")} value={text} onValue={setText} />
      {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
      <div className="flex flex-wrap gap-2" role="group" aria-label={t("filter")}>
        {CHIPS.map(({ state, label }) => (
          <Chip key={label} isOn={search.state === state} onPress={() => onChange({ state })}>
            {t(label)} <span className="fig">{keys && matching(keys, { state }, now).length}</span>
          </Chip>
        ))}
      </div>
    </div>
  )
}

function NoKeys({
  isAny,
  model,
  onNew,
  onClear,
}: {
  isAny: boolean
  model: string
  onNew: () => void
  onClear: () => void
}) {
  const { t } = useTranslation("keys")
  if (isAny) {
    return (
      <>
        <b>{t("noneFound")}</b>
        <p>{t("noneFoundText")}</p>
        <Button size="sm" className="mt-2" onClick={onClear}>
          {t("clear")}
        </Button>
      </>
    )
  }
  return (
    <>
      <b>{t("empty")}</b>
      <p>{t("emptyText")}</p>
      <div className="mt-2 w-full max-w-[640px]">
        <CodeBlock code={firstCall("$AIROUTER_KEY", model)} label="curl" />
      </div>
      <Button className="mt-2" onClick={onNew}>
        <Plus className="i" aria-hidden="true" />
        {t("new")}
      </Button>
    </>
  )
}

export default function KeysPage() {
  const { t } = useTranslation(["keys", "common"])
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const now = useNow()
  const [edited, setEdited] = useState<Key | null>(null)
  const [doomed, setDoomed] = useState<Key | null>(null)
  const [isAsking, setAsking] = useState(false)
  const [newest, setNewest] = useState<string | null>(null)
  const [rotated, setRotated] = useState<Open<Key>>(null)
  const [handed, setHanded] = useState<Open<Key>>(null)
  const { toggle, remove, endGrace } = useKeyActs()
  const { data: me } = useSuspenseQuery(meQuery)
  const { data, error, refetch } = useQuery(keysQuery)
  const pricing = useQuery(pricingQuery(null))
  const model = pricing.data?.models.find(({ rates }) => rates.output)?.model ?? "MODEL"
  const change = (wanted: KeysSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const openNew = () => change({ new: true })
  return (
    <>
      <PageHead
        title={t("title")}
        text={
          <>
            {t("text")}{" "}
            <a className="link" href={`${apiOrigin()}/api/docs`}>
              {t("common:apiReference")}
            </a>
          </>
        }
      >
        <Button look="primary" onClick={openNew}>
          <Plus className="i" aria-hidden="true" />
          {t("new")}
        </Button>
      </PageHead>
      <Tools keys={data?.items} search={search} onChange={change} />
      <KeyTable
        rows={data && matching(data.items, search, now)}
        error={error}
        onRetry={() => void refetch()}
        newest={newest}
        onEdit={setEdited}
        onToggle={(key) => void toggle(key)}
        onDelete={(key) => {
          setDoomed(key)
          setAsking(true)
        }}
        onRotate={(key) => setRotated(opened(key))}
        onEndGrace={(key) => void endGrace(key)}
        onHandOver={me.account.kind === "team" ? (key) => setHanded(opened(key)) : undefined}
        empty={
          <NoKeys
            isAny={(data?.items.length ?? 0) > 0}
            model={model}
            onNew={openNew}
            onClear={() => change({ q: undefined, state: undefined })}
          />
        }
      />
      <p className="help mt-3">{t("foot")}</p>
      <CreateKey
        isOpen={search.new === true}
        model={model}
        onClose={() => change({ new: undefined })}
        onMade={setNewest}
      />
      <EditKey edited={edited} onClose={() => setEdited(null)} />
      <RotateKey open={rotated} model={model} onClose={() => setRotated(closed)} />
      <HandOverDialog
        open={handed}
        accountId={me.account.id}
        onClose={() => setHanded(closed)}
        onRotate={(key) => setRotated(opened(key))}
      />
      {doomed && (
        <Confirm
          isOpen={isAsking}
          onClose={() => setAsking(false)}
          title={t("deleteTitle", { name: doomed.name })}
          text={t("deleteText", { prefix: doomed.prefix })}
          action={t("deleteAction", { name: doomed.name })}
          onConfirm={() => remove(doomed)}
        />
      )}
    </>
  )
}
