/** Most memory of the collector of traces and metrics beside each task, in MiB: what its own project gives a small agent, and room for a batch. */
export const COLLECTOR_MEBIBYTES = 128;
