import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Security } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { CopyButton } from "../../components/copy"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Block } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { Qr } from "../../components/qr"
import { State } from "../../components/state"
import { say } from "../../components/toast"
import { RecoveryCodes } from "./recovery-codes"
import { securityQuery } from "./security-query"

type Draft = { uri: string; secret: string }

function Enrol({
  draft,
  isOpen,
  onClose,
  onCodes,
}: {
  draft: Draft
  isOpen: boolean
  onClose: () => void
  onCodes: (codes: string[] | null) => void
}) {
  const { t } = useTranslation("security")
  const [code, setCode] = useState("")
  const [wasSent, setSent] = useState(false)
  const confirm = async () => {
    const { recovery_codes } = await body(
      api().POST("/api/v1/me/factors/totp/confirm", { body: { code: code.trim() } }),
    )
    onCodes(recovery_codes ?? null)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("enrol")}
      text={t("enrolText")}
      action={t("enrolAct")}
      onSubmit={() => {
        setSent(true)
        return code.trim() ? confirm() : null
      }}
    >
      <div className="flex flex-wrap items-center gap-4">
        <Qr text={draft.uri} label={t("qr")} size={176} />
        <div className="grid min-w-0 gap-2">
          <span className="text-13 text-ink-2">{t("typed")}</span>
          <span className="mono text-13 break-all">{draft.secret}</span>
          <div>
            <CopyButton text={draft.secret} />
          </div>
        </div>
      </div>
      <Field label={t("code")} help={t("codeHelp")} error={wasSent && !code.trim() ? t("codeMissing") : null}>
        {(ids) => (
          <Input
            {...ids}
            inputMode="numeric"
            autoComplete="one-time-code"
            autoFocus
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}

/** The authenticator app, and the recovery codes for the day on which it is lost. */
export function Authenticator({ security }: { security: Security }) {
  const { t } = useTranslation("security")
  const textOf = useProblemText()
  const queries = useQueryClient()
  const [draft, setDraft] = useState<Draft | null>(null)
  const [isEnrolling, setEnrolling] = useState(false)
  const [isRemoving, setRemoving] = useState(false)
  const [isRenewing, setRenewing] = useState(false)
  const [codes, setCodes] = useState<string[] | null>(null)
  const changed = () => queries.invalidateQueries({ queryKey: securityQuery.queryKey })
  const begin = useMutation({
    mutationFn: () => body(api().POST("/api/v1/me/factors/totp")),
    onSuccess: (fresh) => {
      setDraft(fresh)
      setEnrolling(true)
    },
  })
  const remove = async () => {
    await body(api().DELETE("/api/v1/me/factors/totp"))
    await changed()
    say({ tone: "good", title: t("removed") })
  }
  const renew = async () => {
    const { recovery_codes } = await body(api().POST("/api/v1/me/factors/recovery-codes"))
    setCodes(recovery_codes ?? null)
    await changed()
  }
  const hasFactor = security.has_totp || security.passkeys.length > 0
  return (
    <Block title={t("second")} className="content-start">
      <p className="text-13 text-ink-3">{t("secondText")}</p>
      <dl className="kv max-w-[25rem]">
        <dt>{t("app")}</dt>
        <dd>
          {security.has_totp ? <State tone="good">{t("on")}</State> : <State tone="off">{t("off")}</State>}
        </dd>
        {hasFactor && (
          <>
            <dt>{t("codes")}</dt>
            <dd>{t("codesLeft", { count: security.recovery_codes_left })}</dd>
          </>
        )}
      </dl>
      {hasFactor && security.recovery_codes_left < 4 && <Note tone="warn">{t("codesFew")}</Note>}
      {begin.error && <Note tone="bad">{textOf(begin.error)}</Note>}
      <div className="flex flex-wrap gap-2">
        {security.has_totp ? (
          <Button onClick={() => setRemoving(true)}>{t("remove")}</Button>
        ) : (
          <Button look="primary" isBusy={begin.isPending} onClick={() => begin.mutate()}>
            {t("setUp")}
          </Button>
        )}
        {hasFactor && <Button onClick={() => setRenewing(true)}>{t("renew")}</Button>}
      </div>
      {draft && (
        <Enrol
          key={draft.secret}
          draft={draft}
          isOpen={isEnrolling}
          onClose={() => setEnrolling(false)}
          onCodes={(fresh) => {
            setCodes(fresh)
            say({ tone: "good", title: t("added") })
            void changed()
          }}
        />
      )}
      <Confirm
        isOpen={isRemoving}
        onClose={() => setRemoving(false)}
        title={t("removeTitle")}
        text={t("removeText")}
        action={t("remove")}
        onConfirm={remove}
      />
      <Confirm
        isOpen={isRenewing}
        onClose={() => setRenewing(false)}
        title={t("renewTitle")}
        text={t("renewText")}
        action={t("renew")}
        onConfirm={renew}
      />
      {codes && <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />}
    </Block>
  )
}
