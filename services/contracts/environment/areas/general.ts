import { z } from 'zod';
import { variable } from '../variable.ts';

/** What belongs to no part in particular. */
export const generalVariables = {
  STAGE: variable({
    type: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,19}$/)
      .default('local'),
    description: 'Name of the stage, as it appears in logs.',
    takes: 'lower-case letters, digits and hyphens, at most 20, starting with a letter',
    readBy: ['user-api', 'migrate', 'email-worker', 'maintenance'],
  }),
  AWS_REGION: variable({
    type: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .default('us-east-1'),
    description:
      'AWS region of the queues, of SES and of IAM tokens; set by Lambda and ECS themselves.',
    takes: 'the code of a region, such as eu-west-1',
    readBy: ['user-api', 'migrate', 'administer', 'email-worker', 'maintenance', 'start'],
  }),
  LOCAL_DIRECTORY: variable({
    type: z.string().default('.local'),
    description: 'Folder that `npm start` keeps its data, logs and mailbox in.',
    takes: 'the path of a folder that may be written to',
    readBy: ['start'],
  }),
} as const;
