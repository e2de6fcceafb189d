import PostService
import WorkerKit

await Daemon.runWorker(PostService.definition, build: PostService.components)
