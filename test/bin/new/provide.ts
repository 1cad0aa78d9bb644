import type { TestProject } from 'vitest/node';

/** Hands servers and templates on from the suite that made the copy: they are in `PROVIDED`. */
export default function provide(project: TestProject): void {
  const { system, cloudAssembly } = JSON.parse(process.env.PROVIDED ?? '{}');
  project.provide('system', system);
  project.provide('cloudAssembly', cloudAssembly);
}
