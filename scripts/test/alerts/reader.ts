import { AggregationTemporality, InMemoryMetricExporter, MetricReader } from '@opentelemetry/sdk-metrics'

/** Collects when it is asked, cumulative sums as Prometheus wants them. */
export class Reader extends MetricReader {
  constructor() {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    super({ aggregationTemporalitySelector: (kind) => exporter.selectAggregationTemporality(kind) })
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}
