import SearchService
import WorkerKit

await Daemon.work(SearchService.definition, build: SearchService.parts)
