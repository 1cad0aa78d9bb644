import type { ProblemType } from '../http/problem-type.ts';
import type { ProblemSlug } from '../http/problem-types.ts';
import { problemTypes } from '../http/problem-types.ts';

const PROBLEM_MEDIA_TYPE = 'application/problem+json';
const EXAMPLE_REQUEST_ID = '3f0c3a4e-7b1a-4a3e-9a52-0f2a4c1f8f6e';

interface ResponseObject {
  readonly description: string;
  readonly headers?: object;
  readonly content?: Readonly<Record<string, unknown>>;
}

const slugs = Object.keys(problemTypes) as ProblemSlug[];

/** The problems of a response's description, which `http/route-parts.ts` makes of their titles. */
function slugsOf(description: string, status: number): ProblemSlug[] {
  const titles = new Set(description.split('; '));
  return slugs.filter((slug) => {
    const type: ProblemType = problemTypes[slug];
    return type.status === status && titles.has(type.title);
  });
}

function example(slug: ProblemSlug) {
  const { meaning, status, title }: ProblemType = problemTypes[slug];
  return {
    summary: title,
    value: {
      type: `/problems/${slug}`,
      title,
      status,
      detail: meaning,
      requestId: EXAMPLE_REQUEST_ID,
    },
  };
}

/** Lists the problem types of a response, with one example of each; leaves other responses as they are. */
export function describeProblems<Response extends ResponseObject>(
  response: Response,
  status: number,
): Response {
  const problem = response.content?.[PROBLEM_MEDIA_TYPE];
  if (problem === undefined) return response;
  const those = slugsOf(response.description, status);
  return {
    ...response,
    content: {
      ...response.content,
      [PROBLEM_MEDIA_TYPE]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            {
              type: 'object',
              properties: {
                type: { type: 'string', enum: those.map((slug) => `/problems/${slug}`) },
              },
            },
          ],
        },
        examples: Object.fromEntries(those.map((slug) => [slug, example(slug)])),
      },
    },
  };
}
