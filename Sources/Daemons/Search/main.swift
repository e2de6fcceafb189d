import SearchService
import WorkerKit

await Daemon.runWorker(SearchService.definition, build: SearchService.components)
