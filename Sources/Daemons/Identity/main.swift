import IdentityService
import WorkerKit

await Daemon.work(IdentityService.definition, build: IdentityService.parts)
