import PostService
import WorkerKit

await Daemon.work(PostService.definition, build: PostService.parts)
