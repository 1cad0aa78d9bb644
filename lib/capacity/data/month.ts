/** Hours that AWS counts a month. */
export const HOURS_PER_MONTH = 730;
export const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3_600;
export const GIGABYTE = 1_000 ** 3;
const MILLION = 1_000_000;

/** How many million of something a month brings that comes `perSecond`. */
export const millionsAMonth = (perSecond: number): number =>
  (perSecond * SECONDS_PER_MONTH) / MILLION;

/** How many GB a month brings of something of `bytes` that comes `perSecond`. */
export const gigabytesAMonth = (perSecond: number, bytes: number): number =>
  (perSecond * SECONDS_PER_MONTH * bytes) / GIGABYTE;
