import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { canUsePasskeys, makePasskey } from "../../api/passkey"
import type { Passkey, Security } from "../../api/types"
import { Nothing } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { Field } from "../../components/field"
import { closed, FormDialog, type Open, opened } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { Tag } from "../../components/state"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { deviceOf } from "./device"
import { RecoveryCodes } from "./recovery-codes"
import { securityQuery } from "./security-query"

function AddDialog({
  isOpen,
  onClose,
  onCodes,
}: {
  isOpen: boolean
  onClose: () => void
  onCodes: (codes: string[] | null) => void
}) {
  const { t } = useTranslation("security")
  const [name, setName] = useState(() => deviceOf(navigator.userAgent)?.system ?? "")
  const [wasSent, setSent] = useState(false)
  const add = async () => {
    const { public_key } = await body(api().POST("/api/v1/me/passkeys/options"))
    const credential = await makePasskey(public_key)
    const { recovery_codes } = await body(
      api().POST("/api/v1/me/passkeys", { body: { name: name.trim(), credential } }),
    )
    onCodes(recovery_codes ?? null)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("addPasskey")}
      text={t("addPasskeyText")}
      action={t("addPasskeyAct")}
      onSubmit={() => {
        setSent(true)
        return name.trim() ? add() : null
      }}
    >
      <Field label={t("name")} help={t("nameHelp")} error={wasSent && !name.trim() ? t("nameMissing") : null}>
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}

/** The devices that sign in without a password. */
export function Passkeys({ security }: { security: Security }) {
  const { t } = useTranslation("security")
  const queries = useQueryClient()
  const [isAdding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Open<Passkey>>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const changed = () => queries.invalidateQueries({ queryKey: securityQuery.queryKey })
  const remove = async (passkey: Passkey) => {
    await body(
      api().DELETE("/api/v1/me/passkeys/{passkey_id}", { params: { path: { passkey_id: passkey.id } } }),
    )
    await changed()
    say({ tone: "good", title: t("passkeyRemoved", { name: passkey.name }) })
  }
  const columns: Column<Passkey>[] = [
    {
      id: "name",
      head: t("name"),
      cell: (row) => (
        <span className="flex flex-wrap items-center gap-2">
          <span className="name">{row.name}</span>
          {row.is_backed_up && <Tag>{t("synced")}</Tag>}
        </span>
      ),
    },
    {
      id: "used",
      head: t("lastUsed"),
      className: "soft",
      cell: (row) => (row.last_used_at ? <When at={row.last_used_at} /> : <Nothing />),
    },
    {
      id: "since",
      head: t("addedAt"),
      className: "soft max-md:hidden",
      cell: (row) => <When at={row.created_at} as="time" />,
    },
    {
      id: "act",
      head: t("remove"),
      kind: "act",
      cell: (row) => (
        <Button size="sm" aria-label={`${t("remove")}: ${row.name}`} onClick={() => setRemoving(opened(row))}>
          {t("remove")}
        </Button>
      ),
    },
  ]
  const canAdd = security.passkeys_available && canUsePasskeys()
  return (
    <Section
      title={t("passkeys")}
      text={t("passkeysText")}
      actions={
        canAdd && (
          <Button size="sm" onClick={() => setAdding(true)}>
            {t("addPasskey")}
          </Button>
        )
      }
    >
      <LedgerTable
        label={t("passkeys")}
        columns={columns}
        rows={security.passkeys}
        keyOf={(row) => row.id}
        error={null}
        failedTitle=""
        onRetry={() => {}}
        empty={<p>{canAdd ? t("passkeysEmpty") : t("passkeysUnavailable")}</p>}
      />
      <AddDialog
        key={security.passkeys.length}
        isOpen={isAdding}
        onClose={() => setAdding(false)}
        onCodes={(fresh) => {
          setCodes(fresh)
          say({ tone: "good", title: t("passkeyAdded") })
          void changed()
        }}
      />
      {removing && (
        <Confirm
          isOpen={removing.isOpen}
          onClose={() => setRemoving(closed)}
          title={t("removePasskeyTitle", { name: removing.thing.name })}
          text={t("removePasskeyText")}
          action={t("remove")}
          onConfirm={() => remove(removing.thing)}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />}
    </Section>
  )
}
