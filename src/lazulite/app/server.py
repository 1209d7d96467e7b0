"""Building a server out of its parts: the only place that wires them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from starlette.routing import Route

from lazulite.app.asgi import ControlPlane, public_documents
from lazulite.app.blob_access import AccountKeys, bearer_access, grants
from lazulite.app.blob_place import back_end_at, paths_of
from lazulite.app.catalog import Catalog, Entry
from lazulite.app.directory import Directory
from lazulite.app.documents import STORAGE_SUFFIX
from lazulite.app.foundation import LOOPBACK, Foundation, issuer
from lazulite.app.inventory import Inventory
from lazulite.app.kinds import KindParts, all_kinds
from lazulite.app.landscape import ensure_landscape, furnish_all
from lazulite.app.providers import Providers
from lazulite.app.services import ServiceParts, all_services
from lazulite.app.telemetry import Telemetry
from lazulite.arm.app import ArmApp
from lazulite.arm.authorization import Authorization
from lazulite.arm.gate import Gate
from lazulite.arm.kind import Registry
from lazulite.arm.turns import Turns
from lazulite.blobs.authorization import Authorizer
from lazulite.blobs.gateway import Gateway
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.store import BlobStore
from lazulite.computes.capacity import this_machine
from lazulite.computes.locations import Locations
from lazulite.core.clock import utc_now
from lazulite.core.settings import Settings
from lazulite.dataplane.artifact_files import ArtifactFiles
from lazulite.dataplane.batch_scoring import BatchScoring
from lazulite.dataplane.services import Services
from lazulite.deployments.autoscale_metrics import kept_metrics
from lazulite.deployments.autoscaling import Autoscaling
from lazulite.deployments.blob_paths import Delivery
from lazulite.deployments.cached_environments import CachedEnvironments
from lazulite.deployments.environment_users import EnvironmentUsers
from lazulite.deployments.invoking import Invoker
from lazulite.deployments.materials import Workshop
from lazulite.deployments.online_scaling import Scaling
from lazulite.deployments.places import DataPlaces
from lazulite.deployments.vigil import Vigil
from lazulite.environments.cache import Cache
from lazulite.environments.opened import open_environments
from lazulite.environments.service import Environments
from lazulite.executors.isolation import Isolation
from lazulite.fetch.posting import Poster
from lazulite.identity.access import Access
from lazulite.identity.authorize import Guard
from lazulite.identity.endpoint_keys import EndpointTokens
from lazulite.identity.tokens import Audiences, Tokens
from lazulite.kinds.compute import Clusters
from lazulite.kinds.job import Jobs
from lazulite.kinds.online_deployment import OnlineDeployments
from lazulite.kinds.online_endpoint import OnlineEndpoints
from lazulite.kinds.storage_account import ListContainers, name_check
from lazulite.openapi.document import Document, Tables
from lazulite.operations.reconciler import Reconciler
from lazulite.runs.batch_jobs import BatchJobs
from lazulite.runs.command_jobs import CommandJobs
from lazulite.runs.experiments import Experiments
from lazulite.runs.metrics import Metrics
from lazulite.runs.run_rows import Runs
from lazulite.runs.shown import show as show_job
from lazulite.runs.supervision import Supervision
from lazulite.serving.access_tokens import SCORE_IN_WORKSPACE
from lazulite.serving.front_door import Addresses
from lazulite.serving.loads import Loads
from lazulite.serving.publisher import Publisher
from lazulite.serving.replica_sets import ReplicaSets
from lazulite.telemetry.alerts import Alerts
from lazulite.telemetry.collector import Collector, Sources
from lazulite.telemetry.insights import Insights
from lazulite.telemetry.questions import Questions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """A server ready to answer."""

    app: ControlPlane
    publisher: Publisher
    directory: Directory
    roles: Authorization
    registry: Registry
    reconciler: Reconciler
    store: BlobStore
    delivery: Delivery
    cache: Cache
    vigil: Vigil
    isolation: Isolation
    telemetry: Telemetry
    url: str
    http_url: str
    workspace: str


async def compose(base: Foundation, addresses: Addresses, env: Mapping[str, str]) -> Server:
    """Wire the control plane of a server whose front door listens at these addresses."""
    url = f"https://localhost:{addresses.https[1]}"
    http_url = f"http://localhost:{addresses.http[1]}"
    origins = _origins(base.settings, addresses)
    directory = _directory(base, [url, *sorted(origins)])
    guard = directory.guard
    store = await _started_store(base)
    workspace = await ensure_landscape(base.resources, base.installed)
    await furnish_all(base.resources)
    keys = AccountKeys(base.resources, base.keyring.secrets)
    blob_paths, delivery = paths_of(base.settings, base.layout, store, base.reach.bringer)
    places = base.reach.places((base.resources, base.keyring.secrets), origins, keys, blob_paths)
    publisher = _publisher(base, directory)
    kinds = _kind_parts(base, store, (url, places, delivery, publisher), directory.access, env)
    cache = _cache(base)
    registry = _registry(base, kinds, cache)
    reconciler = Reconciler(base.engine, registry.reconcilers(), utc_now)
    roles = Authorization(base.resources, guard, directory.assignments, directory.definitions)
    turns = Turns(base.settings.requests_per_caller)
    arm = ArmApp(Gate(registry, base.resources, guard), reconciler.wake, roles, turns)
    scoring = _scoring(base, guard, reconciler)
    telemetry = _telemetry(base, kinds, guard, turns)
    artifacts = ArtifactFiles(store, keys, utc_now, STORAGE_SUFFIX)
    parts = ServiceParts(arm, scoring, artifacts, kinds.jobs, telemetry.logs)
    blobs = _blob_gateway(base, store, directory, keys, (url, frozenset({*origins, http_url})))
    return Server(
        app=_control_plane(base, directory, parts, telemetry, blobs),
        publisher=publisher,
        directory=directory,
        roles=roles,
        registry=registry,
        reconciler=reconciler,
        store=store,
        delivery=delivery,
        cache=cache,
        vigil=Vigil(base.resources, kinds.deployments.sets),
        isolation=base.isolation,
        telemetry=telemetry,
        url=url,
        http_url=http_url,
        workspace=workspace,
    )


def _scoring(base: Foundation, guard: Guard, reconciler: Reconciler) -> BatchScoring:
    invoker = Invoker(base.resources, show_job, reconciler.wake)
    return BatchScoring(invoker, base.resources, guard)


def _control_plane(
    base: Foundation,
    directory: Directory,
    parts: ServiceParts,
    telemetry: Telemetry,
    blobs: Gateway,
) -> ControlPlane:
    """All that answers, and the documents that say what does."""
    arm, guard, graph = parts.arm, directory.guard, directory.operations()
    roles, registry = arm.authorization, arm.gate.registry
    services = Services(all_services(parts), base.resources, guard, arm.turns)
    tables = Tables(registry=registry, roles=roles, services=services, graph=graph)
    handle = telemetry.insights.before(arm.handle)
    routes = [
        *public_documents(Document(tables)),
        *directory.routes(),
        *_scoring_routes(parts.scoring),
        *telemetry.routes(guard, base.installed.subscription_id),
    ]
    catalog = Catalog(_entries(arm, services), base.resources, guard, handle)
    return ControlPlane(routes, catalog, services, blobs)


def _telemetry(base: Foundation, kinds: KindParts, guard: Guard, turns: Turns) -> Telemetry:
    folder = base.layout.folder("telemetry")
    store = base.telemetry
    sources = Sources(
        access=folder / "access",
        tasks=base.executor.root,
        kept_logs=base.kept_logs.folder,
        run_folder=base.layout.run,
        data_folder=base.layout.data,
        build_log=kinds.deployments.workshop.environments.log,
    )
    collector = Collector(base.resources, store, sources, utc_now)
    questions = Questions(store)
    insights = Insights(questions, base.resources, guard, turns, utc_now)
    return Telemetry(
        store,
        questions,
        collector,
        kinds.alerts,
        kinds.autoscaling,
        insights,
        base.kept_logs,
        base.settings,
    )


async def _started_store(base: Foundation) -> BlobStore:
    back_end = back_end_at(base.settings.blobs, base.engine)
    store = BlobStore(base.layout.folder("blobs"), BlobRows(base.engine), utc_now, back_end)
    await store.start()
    return store


def _blob_gateway(
    base: Foundation,
    store: BlobStore,
    directory: Directory,
    keys: AccountKeys,
    site: tuple[str, frozenset[str]],
) -> Gateway:
    url, origins = site
    hosts = frozenset(origin.partition("://")[2] for origin in (url, *origins))
    opened = dataclasses.replace(
        grants(store, base.resources, directory, keys, hosts), outside=base.reach.copies
    )
    challenge = f"Bearer authorization_uri={url}/{base.installed.tenant_id}"
    bearer = bearer_access(base.resources, directory.guard)
    authorizer = Authorizer(keys, utc_now, bearer, challenge, opened)
    return Gateway(store, authorizer, utc_now, opened)


def _directory(base: Foundation, origins: Sequence[str]) -> Directory:
    audiences = Audiences.of(origins, account_urls=())
    keys, tenant_id = base.keyring.tokens, base.installed.tenant_id
    tokens = Tokens(keys, tenant_id, origins, audiences, utc_now)
    return Directory.of(base.engine, tokens, base.hasher, utc_now)


def _publisher(base: Foundation, directory: Directory) -> Publisher:
    return Publisher(
        front_door=base.front_door,
        resources=base.resources,
        tokens=directory.tokens,
        access=directory.access,
    )


def _kind_parts(
    base: Foundation,
    store: BlobStore,
    site: tuple[str, DataPlaces, Delivery, Publisher],
    access: Access,
    env: Mapping[str, str],
) -> KindParts:
    url, places, delivery, publisher = site
    resources, executor = base.resources, base.executor
    environments = _environments(base, env)
    workshop = Workshop(resources, environments, places.locate, base.layout.folder("assets"))
    sandbox, jobs = base.isolation.sandbox, base.layout.folder("jobs")
    supervision = Supervision(resources, executor, jobs, base.layout.run, delivery, sandbox)
    publish, worker = publisher.publish, base.layout.worker_path()
    sets = ReplicaSets(executor, base.layout.run, worker, sandbox, base.kept_logs)
    tokens = EndpointTokens(base.keyring.endpoints, issuer(base.installed), utc_now)
    return KindParts(
        access=access,
        resources=resources,
        box=base.keyring.secrets,
        tenant_id=base.installed.tenant_id,
        make_container=store.containers.ensure,
        containers=_container_names(store),
        forget_services=store.services.forget,
        storage_suffix=STORAGE_SUFFIX,
        https_base=url,
        folders=base.reach.folders,
        clusters=Clusters(resources, executor, base.layout.run, utc_now),
        endpoints=OnlineEndpoints(resources, base.keyring.secrets, tokens, publish),
        deployments=OnlineDeployments(
            resources,
            workshop,
            sets,
            publish,
            Scaling(sets, Loads(base.layout.run), utc_now),
            utc_now,
        ),
        jobs=Jobs(
            Runs(resources, Experiments(resources), supervision),
            CommandJobs(supervision, workshop, places, url),
            BatchJobs(supervision, workshop, places, worker),
            Metrics(base.engine, utc_now),
        ),
        alerts=Alerts(
            resources, base.telemetry, Poster(base.reach.fetcher.rules).post, utc_now, access
        ),
        autoscaling=Autoscaling(
            resources, kept_metrics(base.telemetry, resources), utc_now, access
        ),
    )


def _registry(base: Foundation, kinds: KindParts, cache: Cache) -> Registry:
    cached = CachedEnvironments(cache, kinds.deployments.workshop.environments, utc_now)
    locations = Locations(base.resources, this_machine())
    named = name_check(base.resources)
    return Registry(all_kinds(kinds), (*locations.reports(), *cached.reports(), named))


def _environments(base: Foundation, env: Mapping[str, str]) -> Environments:
    return open_environments(
        base.settings,
        base.layout.data,
        env,
        executor=base.executor,
        providers=base.providers,
        sandbox=base.isolation.sandbox,
    )


def _cache(base: Foundation) -> Cache:
    jobs = base.layout.folder("jobs")
    users = EnvironmentUsers(base.resources, base.executor, jobs, base.layout.local_endpoints)
    return Cache(base.layout.folder("environments"), base.executor, users)


def _entries(arm: ArmApp, services: Services) -> tuple[Entry, ...]:
    permissions = (*(route.permission for _, route in services.routes()), SCORE_IN_WORKSPACE)
    return (
        *Providers(arm.gate.registry, arm.gate.resources, permissions).entries(),
        *Inventory(arm.gate.registry, arm.gate.resources).entries(),
    )


def _container_names(store: BlobStore) -> ListContainers:
    async def names(account: str) -> list[str]:
        return [container.name for container in await store.containers.all(account)]

    return names


def _scoring_routes(scoring: BatchScoring) -> list[Route]:
    return [
        Route("/inference/{endpoint}/jobs", scoring.invoke, methods=["POST"]),
        Route("/inference/{endpoint}/jobs", scoring.list, methods=["GET"]),
        Route("/inference/{endpoint}/jobs/{job}", scoring.show, methods=["GET"]),
    ]


def _origins(settings: Settings, addresses: Addresses) -> frozenset[str]:
    """Every origin that requests may carry: both listeners under all names."""
    names = ("localhost", LOOPBACK, *settings.hosts)
    secure = {f"https://{name}:{addresses.https[1]}" for name in names}
    plain = {f"http://{name}:{addresses.http[1]}" for name in names}
    return frozenset(secure | plain)
