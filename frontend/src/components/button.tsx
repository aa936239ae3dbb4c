import { createLink } from "@tanstack/react-router"
import type { ComponentProps } from "react"

type Look = {
  look?: "plain" | "primary" | "danger" | "ghost"
  size?: "sm" | "md" | "lg"
  isIcon?: boolean
  isWide?: boolean
}

function classes({ look = "plain", size = "md", isIcon, isWide }: Look, more = ""): string {
  return [
    "btn",
    look !== "plain" && `btn-${look}`,
    size !== "md" && `btn-${size}`,
    isIcon && "btn-icon",
    isWide && "btn-wide",
    more,
  ]
    .filter(Boolean)
    .join(" ")
}

/** While busy it keeps its width, says so to screen readers, and cannot be pressed a second time. */
export function Button({
  look,
  size,
  isIcon,
  isWide,
  isBusy,
  className,
  children,
  onClick,
  type = "button",
  ...rest
}: ComponentProps<"button"> & Look & { isBusy?: boolean }) {
  return (
    <button
      type={type}
      className={classes({ look, size, isIcon, isWide }, className)}
      aria-busy={isBusy || undefined}
      aria-disabled={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {isBusy && <span className="spin" aria-hidden="true" />}
      {children}
    </button>
  )
}

function AnchorButton({ look, size, isIcon, isWide, className, ...rest }: ComponentProps<"a"> & Look) {
  return <a className={classes({ look, size, isIcon, isWide }, className)} {...rest} />
}

/** A link that looks like a button: it goes somewhere, so it stays a link. */
export const ButtonLink = createLink(AnchorButton)
