/** A kind of error that the API answers with: what stands in its problem details, and on the page that `type` names. */
export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** When it comes, for the reader of the page. */
  readonly meaning: string;
  /** What a client does about it. */
  readonly remedy: string;
}
