import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { IdentityProvider, IdentityProviderInput } from "../../api/types"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select } from "../../components/input"

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

/** A new provider, or one as it is. A secret that is left empty stays. */
export function ProviderForm({
  isOpen,
  edited,
  onClose,
  onGone,
  onSubmit,
}: {
  isOpen: boolean
  edited: IdentityProvider | null
  onClose: () => void
  onGone: () => void
  onSubmit: (input: IdentityProviderInput) => Promise<unknown>
}) {
  const { t } = useTranslation("identity-providers")
  const [kind, setKind] = useState(edited?.kind ?? "oidc")
  const [id, setId] = useState(edited?.id ?? "")
  const [label, setLabel] = useState(edited?.label ?? "")
  const [issuer, setIssuer] = useState(edited?.issuer ?? "")
  const [clientId, setClientId] = useState(edited?.client_id ?? "")
  const [secret, setSecret] = useState("")
  const [domains, setDomains] = useState(edited?.allowed_domains.join(", ") ?? "")
  const [allowsSignUp, setAllowsSignUp] = useState(edited?.allow_sign_up ?? false)
  const [trustsEmail, setTrustsEmail] = useState(edited?.trust_email ?? false)
  const [wasSent, setSent] = useState(false)
  const missing = (text: string) => (wasSent && !text.trim() ? t("missing") : null)
  const submit = () => {
    setSent(true)
    const isIssuerMissing = kind === "oidc" && !issuer.trim()
    if (!id.trim() || !label.trim() || !clientId.trim() || isIssuerMissing || !(secret || edited)) return null
    return onSubmit({
      id: id.trim(),
      kind,
      label: label.trim(),
      issuer: issuer.trim(),
      client_id: clientId.trim(),
      client_secret: secret,
      allowed_domains: words(domains),
      allow_sign_up: allowsSignUp,
      trust_email: trustsEmail,
    })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={edited ? t("editTitle", { name: edited.label }) : t("new")}
      text={t("newText")}
      action={edited ? t("save") : t("add")}
      onSubmit={submit}
    >
      {!edited && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("kind")}>
            {(ids) => (
              <Select {...ids} value={kind} onChange={(event) => setKind(event.target.value as typeof kind)}>
                <option value="oidc">OpenID Connect</option>
                <option value="github">GitHub</option>
              </Select>
            )}
          </Field>
          <Field label={t("id")} help={t("idHelp")} error={missing(id)}>
            {(ids) => (
              <Input {...ids} spellCheck={false} value={id} onChange={(event) => setId(event.target.value)} />
            )}
          </Field>
        </div>
      )}
      <Field label={t("label")} help={t("labelHelp")} error={missing(label)}>
        {(ids) => <Input {...ids} value={label} onChange={(event) => setLabel(event.target.value)} />}
      </Field>
      <Field
        label={t("issuer")}
        help={t(kind === "github" ? "issuerGithub" : "issuerHelp")}
        error={kind === "oidc" ? missing(issuer) : null}
      >
        {(ids) => (
          <Input {...ids} type="url" value={issuer} onChange={(event) => setIssuer(event.target.value)} />
        )}
      </Field>
      <Field label={t("clientId")} error={missing(clientId)}>
        {(ids) => (
          <Input
            {...ids}
            spellCheck={false}
            value={clientId}
            onChange={(event) => setClientId(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("clientSecret")}
        help={edited ? t("secretStays") : undefined}
        error={edited ? null : missing(secret)}
      >
        {(ids) => (
          <Input
            {...ids}
            type="password"
            autoComplete="off"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("domains")} help={t("domainsHelp")}>
        {(ids) => <Input {...ids} value={domains} onChange={(event) => setDomains(event.target.value)} />}
      </Field>
      <div className="grid gap-2">
        <Check isOn={allowsSignUp} onChange={setAllowsSignUp}>
          {t("allowSignUp")}
        </Check>
        <Check isOn={trustsEmail} onChange={setTrustsEmail}>
          {t("trustEmail")}
        </Check>
      </div>
    </FormDialog>
  )
}
