import MediaService
import WorkerKit

await Daemon.runWorker(MediaService.definition, build: MediaService.components)
