const SMALL = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
]
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']

/** Reads a whole number up to 999 in words, such as `four hundred and twenty one`; undefined when the words are none. */
export function numberOf(words: string): number | undefined {
  const [left, right, ...rest] = words.split(' hundred')
  if (rest.length > 0) return undefined
  if (right === undefined) return belowHundred(words)
  const hundreds = SMALL.indexOf(left as string)
  if (hundreds < 1 || hundreds > 9) return undefined
  if (right === '') return 100 * hundreds
  const units = right.startsWith(' and ') ? belowHundred(right.slice(5)) : undefined
  return units === undefined || units === 0 ? undefined : 100 * hundreds + units
}

function belowHundred(words: string): number | undefined {
  const small = SMALL.indexOf(words)
  if (small >= 0) return small
  const [tens = '', units, ...rest] = words.split(' ')
  const ten = TENS.indexOf(tens)
  if (ten < 2 || rest.length > 0) return undefined
  if (units === undefined) return 10 * ten
  const unit = SMALL.indexOf(units)
  return unit >= 1 && unit <= 9 ? 10 * ten + unit : undefined
}

/** Says a number in words, rounded to one decimal: `minus three point five`. Beyond a million it is said in digits. */
export function sayNumber(value: number): string {
  if (value < 0) return `minus ${sayNumber(-value)}`
  const tenths = Math.round(value * 10)
  const decimal = tenths % 10
  const whole = sayWhole((tenths - decimal) / 10)
  return decimal === 0 ? whole : `${whole} point ${SMALL[decimal]}`
}

function sayWhole(value: number): string {
  if (value >= 1_000_000) return String(value)
  if (value >= 1_000) return say(Math.floor(value / 1_000), 'thousand', value % 1_000)
  if (value >= 100) return say(Math.floor(value / 100), 'hundred', value % 100)
  if (value < 20) return SMALL[value] as string
  const tens = TENS[Math.floor(value / 10)] as string
  return value % 10 === 0 ? tens : `${tens} ${SMALL[value % 10]}`
}

function say(count: number, unit: string, rest: number): string {
  const whole = `${sayWhole(count)} ${unit}`
  if (rest === 0) return whole
  return rest < 100 ? `${whole} and ${sayWhole(rest)}` : `${whole} ${sayWhole(rest)}`
}
