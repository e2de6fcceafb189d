import IdentityService
import WorkerKit

await Daemon.runWorker(IdentityService.definition, build: IdentityService.components)
