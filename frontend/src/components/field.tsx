import { CircleAlert } from "lucide-react"
import { type ReactNode, useId } from "react"

export type FieldIds = { id: string; "aria-describedby"?: string; "aria-invalid"?: true }

/** Label above, help below, the error in words in place of the help. The child gets the ids that tie them together. */
export function Field({
  label,
  help,
  error,
  children,
  className = "",
}: {
  label: ReactNode
  help?: ReactNode
  error?: string | null
  children: (ids: FieldIds) => ReactNode
  className?: string
}) {
  const id = useId()
  const note = `${id}-note`
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": help || error ? note : undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {error ? (
        <span id={note} className="error" role="alert">
          <CircleAlert className="i i-sm" aria-hidden="true" />
          {error}
        </span>
      ) : (
        help && (
          <span id={note} className="help">
            {help}
          </span>
        )
      )}
    </div>
  )
}
