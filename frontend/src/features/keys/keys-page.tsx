import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { Plus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { keysQuery, pricingQuery } from "../../api/queries"
import type { Key, KeyChange, KeyInput } from "../../api/types"
import { Button } from "../../components/button"
import { Chip } from "../../components/choice"
import { CodeBlock } from "../../components/code"
import { Confirm } from "../../components/confirm"
import { SearchInput } from "../../components/input"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { useUrlText } from "../../components/url-text"
import { useNow } from "../../components/when"
import { KeyDialog } from "./key-form"
import { chipOf, keyState } from "./key-state"
import { KeyTable } from "./key-table"
import "./keys.css"
import type { KeysSearch } from "./search"
import { firstCall, type NewKey, SecretDialog } from "./secret-dialog"

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
        <CodeBlock code={firstCall("sk-…", model)} label="curl" />
      </div>
      <Button className="mt-2" onClick={onNew}>
        <Plus className="i" aria-hidden="true" />
        {t("new")}
      </Button>
    </>
  )
}

/** Changing and deleting keys, each said when done. */
function useKeyActs() {
  const { t } = useTranslation("keys")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () => queries.invalidateQueries({ queryKey: keysQuery.queryKey })
  const change = async (key: Key, wanted: KeyChange) => {
    await body(api().PATCH("/api/v1/keys/{key_id}", { params: { path: { key_id: key.id } }, body: wanted }))
    await refresh()
  }
  const toggle = async (key: Key) => {
    const isOff = key.status === "disabled"
    try {
      await change(key, { status: isOff ? "active" : "disabled" })
    } catch (error) {
      return say({ tone: "bad", title: t("failedAct", { name: key.name }), text: textOf(error) })
    }
    if (isOff) return say({ tone: "good", title: t("enabled", { name: key.name }) })
    say({
      tone: "good",
      title: t("disabled", { name: key.name }),
      text: t("disabledText"),
      action: { label: t("undo"), onPress: () => void toggle({ ...key, status: "disabled" }) },
    })
  }
  const remove = async (key: Key) => {
    await body(api().DELETE("/api/v1/keys/{key_id}", { params: { path: { key_id: key.id } } }))
    await refresh()
    say({ tone: "good", title: t("deleted", { name: key.name }), text: t("deletedText") })
  }
  return { change, toggle, remove, refresh }
}

function CreateKey({
  isOpen,
  model,
  onClose,
  onMade,
}: {
  isOpen: boolean
  model: string
  onClose: () => void
  onMade: (id: string) => void
}) {
  const [made, setMade] = useState<NewKey | null>(null)
  const { refresh } = useKeyActs()
  // The secret is kept in this component only: gcTime 0 leaves none in the cache.
  const create = useMutation({
    gcTime: 0,
    mutationFn: (input: KeyInput) =>
      body(api().POST("/api/v1/keys", { body: input, headers: { "Idempotency-Key": onceOnly() } })),
    onSuccess: (key) => {
      onClose()
      setMade(key)
      onMade(key.id)
      void refresh()
    },
  })
  return (
    <>
      <KeyDialog
        isOpen={isOpen}
        edited={null}
        isBusy={create.isPending}
        error={create.error}
        onSubmit={(input) => create.mutate(input)}
        onClose={onClose}
        onGone={create.reset}
      />
      <SecretDialog
        key={made?.id ?? ""}
        made={made}
        model={made?.models?.[0] ?? model}
        onDone={() => setMade(null)}
      />
    </>
  )
}

function EditKey({ edited, onClose }: { edited: Key | null; onClose: () => void }) {
  const { t } = useTranslation("keys")
  const [shown, setShown] = useState<Key | null>(null)
  const { change } = useKeyActs()
  if (edited && edited !== shown) setShown(edited)
  const save = useMutation({
    mutationFn: (input: KeyInput) => (edited ? change(edited, input) : Promise.resolve()),
    onSuccess: (_, input) => {
      say({ tone: "good", title: t("saved", { name: input.name }) })
      onClose()
    },
  })
  if (!shown) return null
  return (
    <KeyDialog
      isOpen={edited !== null}
      edited={shown}
      isBusy={save.isPending}
      error={save.error}
      onSubmit={(input) => save.mutate(input)}
      onClose={onClose}
      onGone={() => {
        save.reset()
        setShown(null)
      }}
    />
  )
}

export default function KeysPage() {
  const { t } = useTranslation("keys")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const now = useNow()
  const [edited, setEdited] = useState<Key | null>(null)
  const [doomed, setDoomed] = useState<Key | null>(null)
  const [isAsking, setAsking] = useState(false)
  const [newest, setNewest] = useState<string | null>(null)
  const { toggle, remove } = useKeyActs()
  const { data, error, refetch } = useQuery(keysQuery)
  const pricing = useQuery(pricingQuery(null))
  const model = pricing.data?.models.find(({ rates }) => rates.output)?.model ?? "MODEL"
  const change = (wanted: KeysSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const openNew = () => change({ new: true })
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
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
