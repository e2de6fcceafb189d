import Ingress

await Ingress.main()
