import MediaService
import WorkerKit

await Daemon.work(MediaService.definition, build: MediaService.parts)
