// GPP: the strings and the function of the IAB's Global Privacy Platform, sections usnat (7) and usca (8).
//
// SOURCE: Global Privacy Platform, "Consent String Specification" and "CMP API Specification" 1.1; US sections of
// IABTechLab/Global-Privacy-Platform. 0 is not applicable, 1 opted out (or notice given), 2 not opted out.

/** What a section says. Each question is null where the shop does no such thing. */
export interface Said {
  /** Whether the visitor has opted out of the sale of data. */
  sale: boolean | null;
  /** … of sharing for advertising across contexts, and of targeted advertising. */
  sharing: boolean | null;
  /** Whether the browser sends the Global Privacy Control. */
  gpc: boolean;
}

export type Section = "usnat" | "usca";

export const IDS: Record<Section, number> = { usnat: 7, usca: 8 };
const VERSIONS: Record<Section, number> = { usnat: 2, usca: 1 };

const notice = (out: boolean | null): number => (out === null ? 0 : 1);
const optOut = (out: boolean | null): number => (out === null ? 0 : out ? 1 : 2);

/** The fields of a section, in their order, as the platform names them. */
export function fields(section: Section, said: Said): Record<string, number | number[]> {
  const { sale, sharing } = said;
  const none = (count: number): number[] => Array<number>(count).fill(0);
  const own = section === "usnat" ? {
    SharingNotice: notice(sale ?? sharing),
    SaleOptOutNotice: notice(sale),
    SharingOptOutNotice: notice(sharing),
    TargetedAdvertisingOptOutNotice: notice(sharing),
    SensitiveDataProcessingOptOutNotice: 0,
    SensitiveDataLimitUseNotice: 0,
    SaleOptOut: optOut(sale),
    SharingOptOut: optOut(sharing),
    TargetedAdvertisingOptOut: optOut(sharing),
    SensitiveDataProcessing: none(16),
    KnownChildSensitiveDataConsents: none(3),
  } : {
    SaleOptOutNotice: notice(sale),
    SharingOptOutNotice: notice(sharing),
    SensitiveDataLimitUseNotice: 0,
    SaleOptOut: optOut(sale),
    SharingOptOut: optOut(sharing),
    SensitiveDataProcessing: none(9),
    KnownChildSensitiveDataConsents: none(2),
  };
  // A shop that has not signed the industry's agreement (MSPA) says 2, and nothing of its modes.
  return { Version: VERSIONS[section], ...own, PersonalDataConsents: 0, MspaCoveredTransaction: 2, MspaOptOutOptionMode: 0, MspaServiceProviderMode: 0 };
}

/** One section as text: its core, and whether the Global Privacy Control was heard. */
export function encodeSection(section: Section, said: Said): string {
  const core = Object.entries(fields(section, said)).map(([name, value]) =>
    name === "Version" ? bits(value as number, 6) : [value].flat().map((one) => bits(one, 2)).join("")).join("");
  return `${text(core)}.${text(`01${said.gpc ? 1 : 0}`)}`;
}

/** The whole string: the header, and a section if one applies. */
export function encode(section: Section | null, said: Said): string {
  if (!section) return text(bits(3, 6) + bits(1, 6) + bits(0, 12));
  return `${text(bits(3, 6) + bits(1, 6) + bits(1, 12) + "0" + fibonacci(IDS[section]))}~${encodeSection(section, said)}`;
}

function bits(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}

// SOURCE: GPP, Fibonacci coding: the lowest number first, closed by a further 1.
function fibonacci(value: number): string {
  const numbers = [1, 2];
  while (numbers[numbers.length - 1]! <= value) numbers.push(numbers[numbers.length - 1]! + numbers[numbers.length - 2]!);
  let code = "";
  for (const number of numbers.reverse()) {
    if (number <= value) {
      value -= number;
      code = `1${code}`;
    } else if (code) {
      code = `0${code}`;
    }
  }
  return `${code}1`;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Filled to whole bytes, then to whole letters.
function text(code: string): string {
  const bytes = code.padEnd(Math.ceil(code.length / 8) * 8, "0");
  const letters = bytes.padEnd(Math.ceil(bytes.length / 6) * 6, "0");
  return letters.replace(/.{6}/g, (six) => ALPHABET[parseInt(six, 2)] ?? "");
}
