/** The annotations of the project, which every chart over time shows. Read once, and again after a change. */
import { api } from '../api/client';
import type { Annotation } from '../api/types';
import { type ChartMark, marksOf } from '../model/marks';
import { Resource } from './resource.svelte';
import { session } from './session.svelte';

class Annotations {
  readonly all = new Resource<Annotation[]>();
  private of = 0;

  /** Reads those of the project on screen. A chart without them is still right, so nobody waits for this. */
  load(): Promise<void> {
    const project = session.projectId;
    if (project !== this.of) this.all.clear();
    this.of = project;
    if (project === 0) return Promise.resolve();
    return this.all.load((signal) => api.get('/api/v1/projects/{project}/annotations', { path: { project }, signal }));
  }

  marks(buckets: readonly string[], report: { range: { to: string }; timezone?: string | null }): ChartMark[] {
    return marksOf(this.all.data ?? [], buckets, report.range.to, report.timezone ?? session.timezone);
  }
}

export const annotations = new Annotations();
