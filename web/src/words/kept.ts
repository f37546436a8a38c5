// Formatters that are made once: making one is slow, and a screen asks for the same ones again and again.

export function kept<Options, Format>(make: (lang: string, options: Options) => Format): (lang: string, options: Options) => Format {
  const made = new Map<string, Format>()
  return (lang, options) => {
    const key = `${lang} ${JSON.stringify(options)}`
    const format = made.get(key) ?? make(lang, options)
    made.set(key, format)
    return format
  }
}

export const dateFormat = kept((lang, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(lang, options))
export const numberFormat = kept((lang, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(lang, options))
export const listFormat = kept((lang, options: Intl.ListFormatOptions) => new Intl.ListFormat(lang, options))
