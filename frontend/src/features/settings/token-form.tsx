import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { Me, NewToken } from "../../api/types"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select } from "../../components/input"
import { Note } from "../../components/note"

const LIFETIMES = ["30", "90", "365", "never"] as const
type Lifetime = (typeof LIFETIMES)[number]

/** Which group of words a scope stands in: what its name begins with. */
const GROUPS: Record<string, "account" | "money" | "keys" | "team" | "operator"> = {
  me: "account",
  wallet: "money",
  transfers: "money",
  topup: "money",
  orders: "money",
  codes: "money",
  referral: "money",
  keys: "keys",
  usage: "keys",
  alerts: "keys",
  members: "team",
  account: "team",
  acts: "team",
}
const ORDER = ["account", "keys", "money", "team", "operator"] as const

type Scope = { name: string; words: string; kind: string }

function groupOf(scope: Scope): (typeof ORDER)[number] {
  if (scope.kind === "instance") return "operator"
  return GROUPS[scope.name.split(".")[0] ?? ""] ?? "account"
}

function Scopes({
  offered,
  chosen,
  onChange,
}: {
  offered: Scope[]
  chosen: string[]
  onChange: (chosen: string[]) => void
}) {
  const { t, i18n } = useTranslation("tokens")
  const words = ({ name, words }: Scope) => {
    const key = `scope.${name.replace(".", "_")}`
    return i18n.exists(key, { ns: "tokens" }) ? t(key as "scope.me_read") : words
  }
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap gap-2">
        <Button
          size="sm"
          onClick={() =>
            onChange(offered.filter(({ name }) => name.endsWith(".read")).map(({ name }) => name))
          }
        >
          {t("readOnly")}
        </Button>
        <Button size="sm" onClick={() => onChange([])}>
          {t("clear")}
        </Button>
      </div>
      {ORDER.map((group) => {
        const scopes = offered.filter((scope) => groupOf(scope) === group)
        if (scopes.length === 0) return null
        return (
          <fieldset key={group} className="field">
            <legend className="legend mb-1.5">{t(`groups.${group}`)}</legend>
            <div className="grid gap-1.5">
              {scopes.map((scope) => (
                <Check
                  key={scope.name}
                  name={scope.name}
                  isOn={chosen.includes(scope.name)}
                  onChange={(isOn) =>
                    onChange(isOn ? [...chosen, scope.name] : chosen.filter((name) => name !== scope.name))
                  }
                >
                  {words(scope)} <span className="mono text-12 text-ink-3">{scope.name}</span>
                </Check>
              ))}
            </div>
          </fieldset>
        )
      })}
    </div>
  )
}

function endOf(lifetime: Lifetime, now: number): string | null {
  return lifetime === "never" ? null : new Date(now + Number(lifetime) * 86_400_000).toISOString()
}

/** A token to be: its name, how long it holds, and what it may do; no more than its maker may. */
export function TokenForm({
  account,
  isOpen,
  onClose,
  onMade,
}: {
  account: Me["account"]
  isOpen: boolean
  onClose: () => void
  onMade: (token: NewToken) => void
}) {
  const { t } = useTranslation("tokens")
  const [name, setName] = useState("")
  const [lifetime, setLifetime] = useState<Lifetime>("90")
  const [chosen, setChosen] = useState<string[]>([])
  const [wrong, setWrong] = useState<"name" | "scopes" | null>(null)
  const offered = useQuery({
    queryKey: ["scopes", account.id],
    queryFn: ({ signal }) => body(api().GET("/api/v1/tokens/scopes", { signal })),
    enabled: isOpen,
  })
  const make = async () => {
    const token = await body(
      api().POST("/api/v1/tokens", {
        body: { name: name.trim(), scopes: chosen, expires_at: endOf(lifetime, Date.now()) },
        headers: { "Idempotency-Key": onceOnly() },
      }),
    )
    onMade(token)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        setName("")
        setLifetime("90")
        setChosen([])
        setWrong(null)
      }}
      title={t("new")}
      text={t("newText", { account: account.name })}
      action={t("make")}
      onSubmit={() => {
        const missing = !name.trim() ? "name" : chosen.length === 0 ? "scopes" : null
        setWrong(missing)
        return missing ? null : make()
      }}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("name")} help={t("nameHelp")} error={wrong === "name" ? t("needName") : null}>
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              maxLength={120}
              value={name}
              onChange={(event) => {
                setName(event.target.value)
                setWrong(null)
              }}
            />
          )}
        </Field>
        <Field label={t("expires")} help={lifetime === "never" ? t("neverHelp") : undefined}>
          {(ids) => (
            <Select
              {...ids}
              value={lifetime}
              onChange={(event) => setLifetime(event.target.value as Lifetime)}
            >
              {LIFETIMES.map((value) => (
                <option key={value} value={value}>
                  {value === "never" ? t("neverEnds") : t("inDays", { count: Number(value) })}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <Scopes offered={offered.data?.items ?? []} chosen={chosen} onChange={setChosen} />
      {wrong === "scopes" && <Note tone="bad">{t("needScopes")}</Note>}
    </FormDialog>
  )
}
