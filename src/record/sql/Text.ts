/** Values as every database takes them. */

/** Well-formed Unicode without NUL, which Postgres refuses; what does not fit becomes U+FFFD. */
export const content = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD")

/** The same, of at most 512 UTF-16 units: what is searched for must fit an index, and comes from clients. */
export const label = (text: string): string => content(text.slice(0, 512))

/** `null` for what is not there. */
export const optional = (write: (text: string) => string, text: string | undefined): string | null =>
  text === undefined ? null : write(text)

/** A whole number that neither a database nor JavaScript loses anything of; what is no number is 0. */
export const whole = (number: number): number =>
  Number.isNaN(number) ? 0 : Math.min(Math.max(Math.round(number), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
