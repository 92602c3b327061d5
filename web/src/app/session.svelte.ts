/** Who is signed in, and which project is looked at. */
import { ApiError, api, onSignedOut } from '../api/client';
import type { Project, Schema, Session } from '../api/types';
import type { PropertyRef } from '../model/expression';
import { cohortNames } from '../model/names';

const KEY = 'frostpane.project';

export type SessionState =
  | { kind: 'checking' }
  | { kind: 'signed_out' }
  | { kind: 'failed'; error: ApiError }
  | { kind: 'signed_in'; session: Session };

class SessionStore {
  state = $state<SessionState>({ kind: 'checking' });
  private chosen = $state(Number(localStorage.getItem(KEY) ?? 0));
  /** What the project has met so far; loaded once per project, pickers read it. */
  schema = $state<Schema | null>(null);
  /** Cohorts and computed properties of the project; pickers offer them beside properties. */
  cohorts = $state.raw<{ id: number; name: string }[]>([]);
  computed = $state.raw<string[]>([]);
  /** Without it names are typed instead of picked; nothing else needs it. */
  schemaFailed = $state(false);

  get session(): Session | null {
    return this.state.kind === 'signed_in' ? this.state.session : null;
  }

  get project(): Project | null {
    const projects = this.session?.projects ?? [];
    return projects.find((project) => project.id === this.chosen) ?? projects[0] ?? null;
  }

  /** The project's number, for pages, which are only shown when there is one. */
  get projectId(): number {
    return this.project?.id ?? 0;
  }

  get timezone(): string {
    return this.project?.timezone ?? 'UTC';
  }

  /** Whether the signed-in may change what is saved; the server decides, this only hides what it would refuse. */
  get mayEdit(): boolean {
    return this.session !== null && !['viewer', 'auditor'].includes(this.session.role);
  }

  /** Whether the signed-in may ask questions of their own; the server decides here too. */
  get mayAsk(): boolean {
    return this.session !== null && !['viewer', 'auditor'].includes(this.session.role);
  }

  /** Whether the signed-in may see people by number; the server decides here too. */
  get maySeePersons(): boolean {
    return this.session !== null && ['owner', 'privacy_officer'].includes(this.session.role);
  }

  choose(id: number): void {
    this.chosen = id;
    localStorage.setItem(KEY, String(id));
    this.schema = null;
    void this.loadSchema();
    void this.loadSaved();
  }

  async check(): Promise<void> {
    try {
      this.enter(await api.get('/api/v1/session'));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.state = error.status === 401 ? { kind: 'signed_out' } : { kind: 'failed', error };
    }
  }

  async signIn(code: string): Promise<void> {
    this.enter(await api.post('/api/v1/session', { body: { code } }));
  }

  async signOut(): Promise<void> {
    await api.delete('/api/v1/session');
    this.state = { kind: 'signed_out' };
    this.schema = null;
  }

  async loadSchema(): Promise<void> {
    const project = this.projectId;
    if (project === 0) return;
    const schema = await api.get('/api/v1/projects/{project}/schema', { path: { project } }).catch(() => null);
    if (project !== this.projectId) return;
    this.schemaFailed = schema === null;
    if (schema) this.schema = schema;
  }

  /** Pages that save one ask for this again. */
  async loadSaved(): Promise<void> {
    const project = this.projectId;
    if (project === 0) return;
    const path = { project };
    const [cohorts, computed] = await Promise.all([
      api.get('/api/v1/projects/{project}/cohorts', { path }).catch(() => []),
      api.get('/api/v1/projects/{project}/computed', { path }).catch(() => []),
    ]);
    if (project !== this.projectId) return;
    this.cohorts = cohorts.map(({ id, name }) => ({ id, name }));
    cohortNames.clear();
    for (const { id, name } of cohorts) cohortNames.set(String(id), name);
    this.computed = computed.map(({ name }) => name);
  }

  /** What a property that a filter or breakdown names has been seen with. */
  kindsOf(property: PropertyRef, people: boolean): string[] {
    if (property.scope === 'cohort') return ['member'];
    if (property.scope === 'computed') return ['number', 'string'];
    const user = people || property.scope === 'user';
    const found = this.schema?.properties.find(({ name, scope }) => name === property.name && (scope === 'user') === user);
    return found?.kinds ?? [];
  }

  private enter(session: Session): void {
    this.state = { kind: 'signed_in', session };
    void this.loadSchema();
    void this.loadSaved();
  }
}

export const session = new SessionStore();

onSignedOut(() => {
  session.state = { kind: 'signed_out' };
});
